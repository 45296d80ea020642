import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { type TicketKeys, type TicketSecret, ticketLifetimeMs } from './ticket-keys.ts';

/** What the name of a ticket says, 16 bytes that it bears in clear and under its HMAC (RFC 5077 section 4). */
export type TicketName = {
  readonly secretId: string;
  /** When the full handshake was that the session began with; milliseconds since the epoch, in whole seconds. */
  readonly origin: number;
  /** The control connection of FTP that the session is of, 8 bytes in hexadecimal; `unbound` where it is of none. */
  readonly control: string;
};

const unbound = '0'.repeat(16);

/** How the tickets of a context are made and taken. */
export interface TicketRules {
  seal(): { readonly secret: TicketSecret; readonly origin: number; readonly control: string };
  /** `renewed`: the client gets a fresh ticket with it; nothing: the ticket is passed over. */
  open(name: TicketName): { readonly secret: TicketSecret; readonly ticket: 'kept' | 'renewed' } | undefined;
}

/** Is a session young enough to log in by? */
export const admitsLogin = (name: Pick<TicketName, 'origin'>, now: number): boolean =>
  name.origin <= now && now - name.origin < ticketLifetimeMs;

/** Tickets that are bound to nothing: of HTTP, and of FTP where their reuse is not required. */
export const freeTickets = (keys: TicketKeys, now: () => number): TicketRules => ({
  seal: () => ({ secret: keys.current(), origin: now(), control: unbound }),
  open(name) {
    const secret = admitsLogin(name, now()) ? keys.find(name.secretId) : undefined;
    return secret && { secret, ticket: 'kept' };
  },
});

/** Node has this under no documented name; a test holds it to what is written here. */
type TicketKeyContext = {
  enableTicketKeyCallback(): void;
  onticketkeycallback(name: Buffer, iv: Buffer, sealing: boolean): [number, Buffer, Buffer, Buffer, Buffer];
};

const partBytes = 16;
const passedOver = 0;
const taken = 1;
const takenAndRenewed = 2;

/**
 * Has OpenSSL ask these rules for every ticket that it makes or takes in the context.
 * One secret for all tickets, as Node's `ticketKeys`, would neither open those of the secret before nor tell whose
 * session a ticket is of, and Node renews no ticket of TLS 1.3 by itself.
 */
export function ruleTickets(context: SecureContext, rules: TicketRules): void {
  const native = context.context as TicketKeyContext;
  const nothing = Buffer.alloc(partBytes);
  const refused: ReturnType<TicketKeyContext['onticketkeycallback']> = [
    passedOver,
    nothing,
    nothing,
    nothing,
    nothing,
  ];
  native.enableTicketKeyCallback();
  native.onticketkeycallback = (name, iv, sealing) => {
    try {
      if (sealing) {
        const { secret, origin, control } = rules.seal();
        const fresh = writeName({ secretId: secret.id, origin, control });
        return [taken, ...partsOf(secret), fresh, randomBytes(partBytes)];
      }
      const opened = rules.open(readName(name));
      if (!opened) return refused;
      return [opened.ticket === 'renewed' ? takenAndRenewed : taken, ...partsOf(opened.secret), name, iv];
    } catch {
      // Called by OpenSSL: an exception would end the process, no ticket costs a full handshake.
      return refused;
    }
  };
}

function partsOf({ secret }: TicketSecret): [Buffer, Buffer] {
  const bytes = Buffer.from(secret, 'base64');
  return [bytes.subarray(0, 32), bytes.subarray(32, 48)];
}

function writeName({ secretId, origin, control }: TicketName): Buffer {
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(Math.floor(origin / 1_000));
  return Buffer.concat([Buffer.from(secretId, 'hex'), seconds, Buffer.from(control, 'hex')]);
}

const readName = (name: Buffer): TicketName => ({
  secretId: name.toString('hex', 0, 4),
  origin: name.readUInt32BE(4) * 1_000,
  control: name.toString('hex', 8, 16),
});
