import type { Bytes } from '@sallyport/bytes';
import { copyOf } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { readPemBlocks } from './pem.ts';

/** Largest file of a revocation list that is taken in: about 200,000 entries. */
export const maxCrlFileBytes = 8 * 1_048_576;

/**
 * The list in a file, DER or PEM (RFC 5280 section 4.2.1.13, RFC 7468 section 7), told by its bytes.
 *
 * @param file at most 8 MiB
 * @returns DER, unread; `crl-malformed` where there is no one list
 */
export function readCrlFile(file: Uint8Array): Result<Bytes> {
  if (file.length > maxCrlFileBytes) return refuse('crl-malformed', `more than ${maxCrlFileBytes} bytes`);
  if (file[0] === 0x30) return ok(copyOf(file));
  const text = new TextDecoder('latin1').decode(file);
  const blocks = readPemBlocks(text, { blocks: 2, characters: maxCrlFileBytes });
  if (typeof blocks === 'string') return refuse('crl-malformed', `PEM: ${blocks}`);
  const [block, another] = blocks;
  if (!block) return refuse('crl-malformed', 'neither DER nor PEM');
  if (another) return refuse('crl-malformed', 'PEM: one list and nothing else');
  if (block.label !== 'X509 CRL' && block.label !== 'CRL') {
    return refuse('crl-malformed', `PEM: ${block.label} is no revocation list`);
  }
  return ok(block.der);
}
