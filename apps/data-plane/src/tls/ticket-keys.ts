/** Longest life of a session ticket (design section 4). */
export const ticketLifetimeMs = 3_600_000;

/** The key material of `tls`' `ticketKeys` option: name, HMAC and AES key. */
const ticketKeyBytes = 48;

/** Session ticket keys of this process alone: random, never stored, another set each hour. */
export interface TicketKeys {
  /** The keys in force now. The same object until they rotate. */
  current(): Buffer;
}

/**
 * Keys that rotate hourly. A ticket dies at the next rotation, so none lives longer than an hour.
 *
 * @param random fills with that many random bytes
 */
export function createTicketKeys(options: {
  readonly now: () => number;
  readonly random: (bytes: number) => Buffer;
}): TicketKeys {
  let keys = options.random(ticketKeyBytes);
  let rotateAt = options.now() + ticketLifetimeMs;
  return {
    current() {
      if (options.now() >= rotateAt) {
        keys = options.random(ticketKeyBytes);
        rotateAt = options.now() + ticketLifetimeMs;
      }
      return keys;
    },
  };
}
