import { type Bytes, fromBase64, toBase64 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { DerError, DerReader, smallInteger, tags, tryDer } from './der.ts';

const bounds = { blocks: 10, characters: 262_144 };

/** One PEM block; `headers` as in RFC 1421, names in lower case. */
export type PemBlock = {
  readonly label: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly der: Bytes;
};

/** DER as PEM, 64 characters to the line (RFC 7468). */
export const toPem = (label: string, der: Uint8Array): string => pemOfBase64(label, toBase64(der));

/** DER that is in base64 already as PEM. */
export const pemOfBase64 = (label: string, base64: string): string =>
  `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

/** Certificates as PEM, one after the other, leaf first as servers want it. */
export const toPemChain = (chain: readonly Uint8Array[]): string =>
  chain.map((der) => toPem('CERTIFICATE', der)).join('');

/** Header of RFC 1421 section 4.6, which OpenSSL puts above an encrypted key; base64 has no colon. */
const header = /^([A-Za-z][A-Za-z0-9-]{0,63}):[ \t]*(.*)$/;

/**
 * All PEM blocks of a text, in order; text around them is ignored (RFC 7468 section 2).
 *
 * @param bounds blocks at most, and characters of text at most
 * @returns the blocks, or what is wrong with the text
 */
export function readPemBlocks(
  text: string,
  bounds: { readonly blocks: number; readonly characters: number },
): readonly PemBlock[] | string {
  if (text.length > bounds.characters) return `more than ${bounds.characters} characters`;
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let body: string[] = [];
  let headers = new Map<string, string>();
  for (const line of text.split(/\r\n|\n|\r/)) {
    const mark = /^-----(BEGIN|END) ([A-Z0-9 .]{1,64})-----[ \t]*$/.exec(line);
    if (!mark) {
      if (/^-----(BEGIN|END)\b/.test(line)) return 'a line is cut';
      if (label === undefined) continue;
      const [, name, value] = (body.length === 0 && header.exec(line)) || [];
      if (name === undefined || value === undefined) body.push(line.trim());
      else headers.set(name.toLowerCase(), value.trim());
      if (body.length === 1 && body[0] === '') body = [];
      continue;
    }
    const [, kind, named] = mark as unknown as readonly [string, string, string];
    if (kind === 'BEGIN') {
      if (label !== undefined) return `${label} has no end`;
      if (blocks.length === bounds.blocks) return `more than ${bounds.blocks} blocks`;
      label = named;
      body = [];
      headers = new Map();
    } else {
      if (label !== named) return `an end of ${named} without its begin`;
      try {
        blocks.push({ label, headers, der: fromBase64(body.join('')) });
      } catch {
        return `${label} is not base64`;
      }
      label = undefined;
    }
  }
  return label === undefined ? blocks : `${label} has no end`;
}

/**
 * The certificates of a PEM text, in its order.
 *
 * @returns 1 to 10 DER certificates, unparsed; `certificate-malformed` for none, too many, broken PEM or a block
 *   that is no certificate (a private key does not belong there)
 */
export function readPemCertificates(text: string): Result<Bytes[]> {
  const blocks = readPemBlocks(text, bounds);
  if (typeof blocks === 'string') return refuse('certificate-malformed', `PEM: ${blocks}`);
  const foreign = blocks.find((block) => block.label !== 'CERTIFICATE');
  if (foreign) return refuse('certificate-malformed', `PEM: ${foreign.label} is no certificate`);
  if (blocks.length === 0) return refuse('certificate-malformed', 'PEM: there is no certificate');
  return ok(blocks.map((block) => block.der));
}

function checkPkcs8(der: Bytes): true {
  const whole = new DerReader(der);
  const info = whole.inside(tags.sequence);
  whole.finish();
  if (smallInteger(info.next(tags.integer)) > 1) throw new DerError('unknown version');
  info.next(tags.sequence);
  info.next(tags.octetString);
  return true;
}

/**
 * The private key of a PEM text: one unencrypted PKCS#8 block (RFC 5958), label `PRIVATE KEY`.
 *
 * @returns PKCS#8 DER; `key-unsupported` for another form, `key-malformed` for none, several or a broken one
 */
export function readPemPrivateKey(text: string): Result<Bytes> {
  const blocks = readPemBlocks(text, bounds);
  if (typeof blocks === 'string') return refuse('key-malformed', `PEM: ${blocks}`);
  const [block, another] = blocks;
  if (!block) return refuse('key-malformed', 'PEM: there is no private key');
  if (another) return refuse('key-malformed', 'PEM: one private key and nothing else');
  if (block.label !== 'PRIVATE KEY') {
    return refuse('key-unsupported', `PEM: ${block.label}; send unencrypted PKCS#8 (PRIVATE KEY)`);
  }
  const read = tryDer(block.der, checkPkcs8);
  return read instanceof DerError ? refuse('key-malformed', 'PEM: this is no PKCS#8 key') : ok(block.der);
}
