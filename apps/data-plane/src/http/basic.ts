/** What the user-pass of a Basic header says. */
export type BasicCredentials = { readonly user: string; readonly password: string };

/** Longest header that is decoded: name and password at their own bounds, and the base64 around them. */
const maxHeaderLength = 8_192;

/**
 * Reads the credentials of the Basic scheme (RFC 7617 section 2), in UTF-8 as our challenge asks.
 *
 * @param header value of Authorization
 * @returns nothing where it is of another scheme or malformed
 */
export function basicCredentials(header: string): BasicCredentials | undefined {
  if (header.length > maxHeaderLength) return undefined;
  const match = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header);
  if (!match?.[1]) return undefined;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(match[1], 'base64'));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  // RFC 7617 section 2: no control characters in either.
  if (colon < 1 || /[\u0000-\u001f\u007f]/.test(text)) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
