/** Argon2id parameters of new hashes (OWASP: 19 MiB, two passes, one lane). */
export const argon2Parameters = { memoryKiB: 19_456, passes: 2, parallelism: 1, tagBytes: 32 } as const;

/** An Argon2id hash, taken apart. */
export type PasswordHash = {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly tag: Uint8Array<ArrayBuffer>;
};

const unpadded = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replace(/=+$/, '');
const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
/** Base64 without padding has no text of 4n + 1 characters. */
const isBase64Length = (text: string): boolean => text.length % 4 !== 1;

/** The hash as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$tag`. */
export const formatPasswordHash = (hash: PasswordHash): string =>
  `$argon2id$v=19$m=${hash.memoryKiB},t=${hash.passes},p=${hash.parallelism}$${unpadded(hash.salt)}$${unpadded(hash.tag)}`;

const phc =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/**
 * Reads a PHC string.
 *
 * @returns nothing where it is not Argon2id, contradicts itself (RFC 9106 section 3.1: 8 KiB for each lane), or asks for
 *   more than a node would spend: 256 MiB, 10 passes, 16 lanes
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = phc.exec(text);
  if (!match) return undefined;
  const [, memory, passes, parallelism, salt, tag] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (!isBase64Length(salt) || !isBase64Length(tag)) return undefined;
  const hash = {
    memoryKiB: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: bytesOf(salt),
    tag: bytesOf(tag),
  };
  const affordable = hash.memoryKiB <= 262_144 && hash.passes <= 10 && hash.parallelism <= 16;
  const consistent = hash.passes >= 1 && hash.parallelism >= 1 && hash.memoryKiB >= 8 * hash.parallelism;
  return affordable && consistent ? hash : undefined;
}
