import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { refusal } from './reading.ts';

/** Is there an SSH2 public key file in the text (RFC 4716)? */
export const isRfc4716 = (text: string): boolean => /^---- BEGIN SSH2 PUBLIC KEY ----[ \t]*$/m.test(text);

/**
 * Reads an SSH2 public key file (RFC 4716): headers, continued by a backslash, and base64.
 *
 * @returns the key blob and its comment; throws FaultError `key-malformed`
 */
export function readRfc4716(text: string): { readonly blob: Bytes; readonly comment: string } {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trimEnd());
  const begin = lines.indexOf('---- BEGIN SSH2 PUBLIC KEY ----');
  const end = lines.indexOf('---- END SSH2 PUBLIC KEY ----');
  if (begin < 0 || end < begin) throw refusal('key-malformed', 'the file has no end');
  if (lines.indexOf('---- BEGIN SSH2 PUBLIC KEY ----', end) >= 0) {
    throw refusal('key-malformed', 'more than one key');
  }
  let comment = '';
  let at = begin + 1;
  for (; at < end; at++) {
    const [, name, first = ''] = /^([^:\s]{1,64}):(.*)$/.exec(lines[at] as string) ?? [];
    if (name === undefined) break;
    let value = first;
    while (value.endsWith('\\') && at + 1 < end) {
      value = value.slice(0, -1) + (lines[++at] as string);
      // RFC 4716 section 3.3: at most 1024 octets.
      if (value.length > 1_024) throw refusal('key-malformed', 'a header is too long');
    }
    if (name.toLowerCase() === 'comment') comment = value.trim().replace(/^"(.*)"$/, '$1');
  }
  try {
    return { blob: fromBase64(lines.slice(at, end).join('')), comment };
  } catch {
    throw refusal('key-malformed', 'the key is not base64');
  }
}
