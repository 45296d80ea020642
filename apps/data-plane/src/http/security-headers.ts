/** What every answer carries: files of partners are data, never pages of ours. */
export const securityHeaders = (transport: {
  readonly channel: 'encrypted' | 'clear';
  readonly hsts: boolean;
}): Readonly<Record<string, string>> => ({
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  // RFC 6797 section 7.2: never in clear.
  ...(transport.channel === 'encrypted' && transport.hsts
    ? { 'Strict-Transport-Security': 'max-age=31536000' }
    : {}),
});

/**
 * What a page of ours carries instead: its own style, script and pictures, nothing from elsewhere and nothing inline.
 * A page tells its own site where a form comes from, or its Origin would be `null`.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Cache-Control': 'no-store',
};
