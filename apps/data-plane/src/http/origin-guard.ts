import { authorityOf, headerValues, type Incoming } from './exchange.ts';

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND']);

/** Does the method change something, or sign somebody in? */
export const isUnsafe = (method: string | undefined): boolean => !safe.has(method ?? '');

/**
 * Does the request say that a page of another site made it? Browsers say so (Fetch Metadata; RFC 6454 section 7);
 * whoever says nothing is no browser. Client certificates and remembered passwords go along with every request of a
 * browser, so this holds for them as for cookies.
 *
 * @param scheme of the channel that it came by
 */
export function isForeign(incoming: Incoming, scheme: 'https' | 'http'): boolean {
  const [site] = headerValues(incoming, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const origins = headerValues(incoming, 'origin');
  return origins.some((origin) => origin !== `${scheme}://${authorityOf(incoming)}`);
}

/** Did a browser ask for a page? Whoever names no type takes a page too. */
export const wantsPage = (incoming: Incoming): boolean => {
  const { accept } = incoming.headers;
  return accept === undefined || /(?:^|[\s,])text\/html(?:[\s;,]|$)/i.test(accept);
};

/**
 * Did somebody open it, in a window of its own? What a page of another site embeds or fetches begins no web session:
 * it would take the places of the account's own.
 */
export const isOpened = (incoming: Incoming): boolean =>
  [
    ['sec-fetch-mode', 'navigate'],
    ['sec-fetch-dest', 'document'],
  ].every(([name, value]) => headerValues(incoming, name ?? '').every((said) => said === value));

/** Is it a browser, which would ask its user for a password where a challenge of the Basic scheme comes? */
export const isBrowser = (incoming: Incoming): boolean =>
  headerValues(incoming, 'sec-fetch-mode').length > 0 ||
  (incoming.headers.accept !== undefined && wantsPage(incoming));
