/** Algorithm lists of one KEXINIT, in the sender's order (RFC 4253 section 7.1). */
export type OfferedAlgorithms = {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphersIn: readonly string[];
  readonly ciphersOut: readonly string[];
  readonly macsIn: readonly string[];
  readonly macsOut: readonly string[];
  /** The next packet is a guess at the exchange (section 7). */
  readonly guessFollows: boolean;
};

const kexInitMessage = 20;
const cookieBytes = 16;
const nameLists = 10;
/** Largest payload that an implementation must take (section 6.1), and more than any sender needs here. */
const maxBytes = 32_768;

/**
 * Reads an SSH_MSG_KEXINIT.
 *
 * @param payload with its message number
 * @returns nothing for another message and for one that is malformed
 */
export function readKexInit(payload: Uint8Array): OfferedAlgorithms | undefined {
  if (payload[0] !== kexInitMessage || payload.length > maxBytes) return undefined;
  const view = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const lists: string[][] = [];
  let at = 1 + cookieBytes;
  for (let index = 0; index < nameLists; index++) {
    if (at + 4 > view.length) return undefined;
    const length = view.readUInt32BE(at);
    at += 4;
    if (length > view.length - at) return undefined;
    const text = view.toString('latin1', at, at + length);
    lists.push(text === '' ? [] : text.split(','));
    at += length;
  }
  const [kex, hostKeys, ciphersIn, ciphersOut, macsIn, macsOut] = lists as [
    string[],
    string[],
    string[],
    string[],
    string[],
    string[],
  ];
  return { kex, hostKeys, ciphersIn, ciphersOut, macsIn, macsOut, guessFollows: view[at] === 1 };
}

/**
 * A copy of a KEXINIT with other key exchanges in it.
 *
 * @param payload one that `readKexInit` has read
 */
export function withKex(payload: Uint8Array, kex: readonly string[]): Buffer {
  const view = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const start = 1 + cookieBytes;
  const names = Buffer.from(kex.join(','), 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(names.length);
  return Buffer.concat([
    view.subarray(0, start),
    length,
    names,
    view.subarray(start + 4 + view.readUInt32BE(start)),
  ]);
}

/** The client's first name that the server has, too (RFC 4253 section 7.1). */
export const negotiated = (client: readonly string[], server: readonly string[]): string | undefined =>
  client.find((name) => server.includes(name));
