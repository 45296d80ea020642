/** Longest life of a session ticket that a client may log in with (design section 4). */
export const ticketLifetimeMs = 3_600_000;

/** Tickets are sealed under one secret so long, and opened for as long again. */
export const ticketRotationMs = ticketLifetimeMs / 2;

/** One secret that seals session tickets. Plain data: processes of one node hand it to each other. */
export type TicketSecret = {
  /** 4 bytes in hexadecimal: they begin the name that a ticket bears in clear (RFC 5077 section 4). */
  readonly id: string;
  /** 48 bytes in base64: 32 for HMAC-SHA-256, 16 for AES-128-CBC. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly sealsUntil: number;
  readonly opensUntil: number;
};

/** The secrets of session tickets, random and never stored. A ticket of one process opens where they are shared. */
export interface TicketKeys {
  /** What new tickets are sealed under. */
  current(): TicketSecret;
  /** The secret of a ticket, while it opens any. */
  find(id: string): TicketSecret | undefined;
}

/** Keys that this process makes itself, and may hand out. */
export interface OwnTicketKeys extends TicketKeys {
  /** Those that open tickets now, and the next one: who has that needs no word at the moment of the change. */
  secrets(): readonly TicketSecret[];
}

const idBytes = 4;
const secretBytes = 48;

/**
 * Keys that change each half hour. The one before still opens, so no ticket lives longer than an hour.
 *
 * @param random fills with that many random bytes
 */
export function createTicketKeys(options: {
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}): OwnTicketKeys {
  const { now, random } = options;
  const make = (from: number): TicketSecret => ({
    id: random(idBytes).toString('hex'),
    secret: random(secretBytes).toString('base64'),
    sealsUntil: from + ticketRotationMs,
    opensUntil: from + ticketLifetimeMs,
  });
  const started = now();
  const first = make(started);
  /** In the order of their use; the last is the next one. */
  let secrets: readonly TicketSecret[] = [first, make(first.sealsUntil)];

  function rotated(): readonly TicketSecret[] {
    const at = now();
    while ((secrets.at(-2) as TicketSecret).sealsUntil <= at) {
      const next = secrets.at(-1) as TicketSecret;
      // After a long sleep the secrets of the time slept through are not made one by one.
      if (next.opensUntil <= at) secrets = [make(at), make(at + ticketRotationMs)];
      else secrets = [...secrets, make(next.sealsUntil)];
    }
    secrets = secrets.filter(({ opensUntil }) => opensUntil > at);
    return secrets;
  }

  return {
    current: () => rotated().at(-2) as TicketSecret,
    find: (id) => rotated().find((secret) => secret.id === id),
    secrets: rotated,
  };
}

/** Keys that another process makes; this one is told of them again and again. */
export interface AdoptedTicketKeys extends TicketKeys {
  adopt(secrets: readonly TicketSecret[]): void;
}

/** @param initial what `secrets` of the keys' maker gave */
export function adoptTicketKeys(initial: readonly TicketSecret[], now: () => number): AdoptedTicketKeys {
  let secrets = initial;
  return {
    current() {
      const at = now();
      const secret = secrets.find(({ sealsUntil }) => sealsUntil > at) ?? secrets.at(-1);
      if (!secret) throw new Error('no secret for session tickets was handed over');
      return secret;
    },
    find(id) {
      const at = now();
      return secrets.find((secret) => secret.id === id && secret.opensUntil > at);
    },
    adopt(next) {
      secrets = next;
    },
  };
}
