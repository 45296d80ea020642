import { decodeText, type NameEncoding } from './name-encoding.ts';

/** Longest command line, without its end: a path of PATH_MAX with its verb does not fit more (RFC 959 names no bound). */
export const maxLineBytes = 4_096;

/** One line of the control connection, or what was wrong with it. */
export type ReadLine =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'too-long' }
  /** Not of the encoding (RFC 2640 section 2.2). */
  | { readonly kind: 'malformed' };

/** Cuts the bytes of a control connection into lines. */
export interface LineReader {
  /** Takes the next bytes, in any portions; answers the lines that they complete. */
  push(bytes: Uint8Array): ReadLine[];
  /** Forgets everything that is not a complete line yet. */
  discard(): void;
}

const lf = 0x0a;
const cr = 0x0d;
/** Telnet (RFC 854): command introducer, and the bounds of its negotiation commands. */
const iac = 0xff;
const lastTwoByte = 0xf9;
const firstTwoByte = 0xf0;
const subnegotiation = 0xfa;
const subnegotiationEnd = 0xf0;

type TelnetState = 'text' | 'command' | 'option' | 'subnegotiation' | 'subnegotiation-command';

/**
 * A reader that ends lines at CRLF or LF, strips telnet commands (RFC 959 section 2.3: some clients send IAC IP, IAC DM
 * before ABOR, and the DM may be lost as urgent data) and keeps at most one line in memory.
 *
 * @param encoding asked for each line
 */
export function createLineReader(encoding: () => NameEncoding = () => 'utf-8'): LineReader {
  const line = new Uint8Array(maxLineBytes);
  let length = 0;
  let overflow = false;
  let telnet: TelnetState = 'text';

  /** @returns whether the byte belongs to the text */
  function isText(byte: number): boolean {
    switch (telnet) {
      case 'text':
        if (byte !== iac) return true;
        telnet = 'command';
        return false;
      case 'command':
        if (byte >= firstTwoByte && byte <= lastTwoByte) telnet = 'text';
        else if (byte === subnegotiation) telnet = 'subnegotiation';
        else if (byte > subnegotiation && byte < iac) telnet = 'option';
        else if (byte !== iac || encoding() === 'latin-1') {
          // Doubled it stands for itself (RFC 854), which in UTF-8 it never does.
          telnet = 'text';
          return true;
        }
        return false;
      case 'option':
        telnet = 'text';
        return false;
      case 'subnegotiation':
        if (byte === iac) telnet = 'subnegotiation-command';
        // A subnegotiation cannot hide the rest of the connection: it ends with its line.
        else if (byte === lf) telnet = 'text';
        return byte === lf;
      case 'subnegotiation-command':
        telnet = byte === subnegotiationEnd ? 'text' : 'subnegotiation';
        return false;
    }
  }

  function take(): ReadLine {
    const end = length > 0 && line[length - 1] === cr ? length - 1 : length;
    const bytes = line.slice(0, end);
    line.fill(0, 0, length);
    length = 0;
    if (overflow) {
      overflow = false;
      return { kind: 'too-long' };
    }
    const text = decodeText(bytes, encoding());
    return text === undefined ? { kind: 'malformed' } : { kind: 'line', text };
  }

  return {
    push(bytes) {
      const lines: ReadLine[] = [];
      for (const byte of bytes) {
        if (!isText(byte)) continue;
        if (byte === lf) lines.push(take());
        else if (length < maxLineBytes) line[length++] = byte;
        else overflow = true;
      }
      return lines;
    },
    discard() {
      line.fill(0, 0, length);
      length = 0;
      overflow = false;
      telnet = 'text';
    },
  };
}
