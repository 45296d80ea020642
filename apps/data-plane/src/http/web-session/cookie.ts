/**
 * Name of the cookie of a web session. The prefix has browsers refuse it unless it is Secure, of this host alone and
 * for all paths (RFC 6265bis section 4.1.3.2).
 */
export const sessionCookie = '__Host-sallyport';
/** The same for a sign-in that waits for its second factor. */
export const factorCookie = '__Host-sallyport-step';

const maxHeaderLength = 8_192;
const opaque = /^[A-Za-z0-9_-]{43}$/;

/**
 * The value of one of our cookies (RFC 6265 section 5.4).
 *
 * @param header value of Cookie
 * @returns 43 characters of base64url, 32 random bytes; nothing where it is absent, twice there or no value of ours
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > maxHeaderLength) return undefined;
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value, ...others] = values;
  return value !== undefined && others.length === 0 && opaque.test(value) ? value : undefined;
}

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** Set-Cookie for as long as the browser runs; how long the value is good for is ours to say. */
export const setCookie = (name: string, value: string): string => `${name}=${value}; ${attributes}`;

export const clearCookie = (name: string): string => `${name}=; ${attributes}; Max-Age=0`;
