/** What every answer carries: files of partners are data, never pages of ours. */
export const securityHeaders = (transport: {
  readonly channel: 'encrypted' | 'clear';
  readonly hsts: boolean;
}): Readonly<Record<string, string>> => ({
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'Referrer-Policy': 'no-referrer',
  // RFC 6797 section 7.2: never in clear.
  ...(transport.channel === 'encrypted' && transport.hsts
    ? { 'Strict-Transport-Security': 'max-age=31536000' }
    : {}),
});
