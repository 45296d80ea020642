import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { FtpServer, HttpServer, TlsAlgorithms } from '@sallyport/model';
import { requestsCertificate } from '@sallyport/policy';
import type { ZoneView } from '../zone-view.ts';
import { identitiesFor, type UsableIdentity } from './identities.ts';
import { pemOf } from './pem.ts';
import { stapleOf } from './staple.ts';
import { suitesOf } from './suites.ts';
import { ticketLifetimeMs } from './ticket-keys.ts';
import { ruleTickets, type TicketRules } from './tickets.ts';

/** How long OpenSSL keeps a bound session good: for data as long as its control connection may last. */
const boundSessionMs = 86_400_000;

/** How sessions are taken up in a context: freely, by rules that bind them to a control connection, or not at all. */
export type SessionUse =
  | { readonly kind: 'free'; readonly tickets: TicketRules }
  | { readonly kind: 'bound'; readonly tickets: TicketRules }
  | { readonly kind: 'none' };

/** The OpenSSL contexts of one listener under one view. */
export interface TlsContexts {
  /** The trust that these contexts were made under; also part of the session id context. */
  readonly trustDigest: string;
  readonly requestCert: boolean;
  /** The context for a client that named `host`, see `identitiesFor`. Throws where OpenSSL refuses the material. */
  contextFor(host: string | undefined): SecureContext;
  /** Does any of the identities have an OCSP response? */
  readonly staples: boolean;
  /** The OCSP response for a client that named `host`, see `stapleOf`; `now` in milliseconds since the epoch. */
  stapleFor(host: string | undefined, now: number): Buffer | undefined;
}

/**
 * OpenSSL takes up a session only under the id context it was made under, so a session never outlives the mode of
 * its listener nor the trust that judged it (design section 4).
 *
 * @returns 32 hexadecimal characters, the most that `sessionIdContext` takes
 */
const sessionIdContextOf = (
  server: Pick<FtpServer | HttpServer, 'id' | 'clientCertificate'>,
  trustDigest: string,
): string =>
  createHash('sha256')
    .update([server.id, server.clientCertificate, trustDigest].join('|'))
    .digest('hex')
    .slice(0, 32);

/** Contexts made as they are first needed: one per set of identities that some name selects. */
export function createTlsContexts(options: {
  readonly server: FtpServer | HttpServer;
  readonly algorithms: TlsAlgorithms;
  readonly identities: readonly UsableIdentity[];
  readonly trust: ZoneView['trust'];
  readonly sessions: SessionUse;
}): TlsContexts {
  const { server, trust, sessions } = options;
  const suites = suitesOf(options.algorithms);
  const requestCert = requestsCertificate(server.clientCertificate);
  const made = new Map<string, SecureContext>();

  return {
    trustDigest: trust.digest,
    requestCert,
    staples: options.identities.some(({ identity }) => identity.ocsp !== undefined),
    stapleFor: (host, now) =>
      stapleOf(
        identitiesFor(options.identities, host).map(({ identity }) => identity),
        now,
      ),
    contextFor(host) {
      const chosen = identitiesFor(options.identities, host);
      const name = chosen.map(({ identity }) => identity.id).join(' ');
      const known = made.get(name);
      if (known) return known;
      const context = createSecureContext({
        ...suites,
        // Sessions of TLS 1.3 are then named by ids that nobody keeps.
        secureOptions:
          (suites.secureOptions ?? 0) | (sessions.kind === 'none' ? constants.SSL_OP_NO_TICKET : 0),
        cert: chosen.map(({ identity }) => identity.chain.map((der) => pemOf('CERTIFICATE', der)).join('')),
        key: chosen.map(({ identity }) => pemOf('PRIVATE KEY', identity.privateKey)),
        // Never undefined: Node would trust, and advertise, its own public roots.
        ca:
          requestCert && server.advertiseClientCas
            ? trust.advertised.map((der) => pemOf('CERTIFICATE', der))
            : [],
        sessionIdContext: sessionIdContextOf(server, trust.digest),
        sessionTimeout: (sessions.kind === 'bound' ? boundSessionMs : ticketLifetimeMs) / 1_000,
      });
      if (sessions.kind !== 'none') ruleTickets(context, sessions.tickets);
      made.set(name, context);
      return context;
    },
  };
}
