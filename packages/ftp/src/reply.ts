import { type FaultCode, faults } from '@sallyport/faults';

/** A reply: three digits and one line, or several (RFC 959 section 4.2). */
export type Reply = { readonly code: number; readonly lines: readonly string[] };

/** A reply of one or more lines. */
export const reply = (code: number, ...lines: readonly string[]): Reply => ({ code, lines });

/** The generic answer to a refusal; its exact reason stays with us. */
export const faultReply = (fault: FaultCode): Reply => reply(faults[fault].ftp, faults[fault].text);

/** File names may hold line breaks; a reply line must not. */
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/g, '?');

/**
 * The reply as it goes over the wire, CRLF at each end. In a reply of several lines the first and the last carry the
 * code; those between are indented by a space so that none of them looks like the last.
 */
export function formatReply({ code, lines }: Reply): string {
  const last = lines.length - 1;
  if (last <= 0) return `${code} ${oneLine(lines[0] ?? '')}\r\n`;
  return lines
    .map((line, index) => {
      const text = oneLine(line);
      if (index === last) return `${code} ${text}\r\n`;
      return index === 0 ? `${code}-${text}\r\n` : ` ${text}\r\n`;
    })
    .join('');
}

/** A path in the quotes of a 257 reply: quotes in it are doubled (RFC 959 appendix II). */
export const quoted = (path: string): string => `"${path.replaceAll('"', '""')}"`;
