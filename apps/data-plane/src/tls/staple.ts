import type { EventEmitter } from 'node:events';
import type { SecureContext } from 'node:tls';
import type { Identity } from '../zone-view.ts';

/**
 * The OCSP response to staple beside these identities; nothing where it has ended, or where OpenSSL chooses among
 * several: it does not say which, and the response of another certificate would turn the client away.
 *
 * @param now milliseconds since the epoch
 */
export function stapleOf(identities: readonly Identity[], now: number): Buffer | undefined {
  const [only, other] = identities;
  const ocsp = other === undefined ? only?.ocsp : undefined;
  return ocsp && ocsp.endsAt > now ? Buffer.from(ocsp.response) : undefined;
}

/**
 * Has Node staple to the handshakes of a socket whose `server` these events are (RFC 6066 section 8).
 *
 * @param context what the socket was made with: a real server has it under a name of Node's own, which a test pins
 * @param staple asked at each handshake in which the client wants a response
 */
export function attachStaple(
  events: EventEmitter,
  context: SecureContext,
  staple: () => Buffer | undefined,
): void {
  (events as EventEmitter & { _sharedCreds?: SecureContext })._sharedCreds = context;
  events.on('OCSPRequest', (_certificate, _issuer, done: (error: null, response: Buffer | null) => void) => {
    done(null, staple() ?? null);
  });
}
