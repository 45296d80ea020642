import type { LockoutCounter, LockoutSettings, LockoutTarget } from '@sallyport/model';
import { addressIn } from '@sallyport/policy';
import type { DenyListDocument } from '@sallyport/snapshot/node';
import { createSpentSteps } from '../second-factor/spent-steps.ts';
import { sourceNetwork } from '../source-network.ts';
import { type CounterRule, createFailureCounters } from './failure-counters.ts';

/** Who tries to log in. Plain data: it crosses from process to process. */
export type LoginKey = {
  /** Login name, normalised; see `lockoutName`. */
  readonly name: string;
  /** IP address of the client. */
  readonly source: string;
  /** Only names of accounts are counted by name alone: a flood of others fills nothing. */
  readonly account: 'known' | 'unknown';
};

export type LockoutVerdict =
  | { readonly kind: 'open' }
  | { readonly kind: 'blocked'; readonly counter: LockoutCounter };

/** One set of counters for every protocol and every process of the node (design section 4). */
export interface Lockouts {
  /** Is a password or a code of theirs looked at now? */
  check(key: LoginKey): Promise<LockoutVerdict>;
  /** A password, a code or a signature was wrong. */
  failed(key: LoginKey): Promise<void>;
  /** A login with a password was admitted: the failures of that name from that source are forgotten. */
  succeeded(key: LoginKey): Promise<void>;
  /** Takes the time step of a right code for a second factor of an account: each is taken once. */
  spendStep(factor: string, step: number): Promise<'fresh' | 'spent'>;
}

/** A block that this node begins. `until` in milliseconds. */
export type LockoutBlock = { readonly target: LockoutTarget; readonly until: number };

export type LockoutsOptions = {
  readonly settings: () => LockoutSettings;
  readonly now: () => number;
  readonly began: (block: LockoutBlock) => void;
  /** Keys of each kind that are remembered. */
  readonly capacity?: number;
};

/** The counters of this process, and what the zone's deny list adds to them. */
export interface LocalLockouts extends Lockouts {
  /** Takes in the blocks of the zone, in place of those before, and forgets here what was unlocked. */
  enforce(list: Pick<DenyListDocument, 'entries'>): void;
}

/** A login name as it is counted and reported: an account's name is never longer. */
export const lockoutName = (normalizedName: string): string =>
  normalizedName.slice(0, 80).toWellFormed().replaceAll('\u0000', '\u2400');

const defaultCapacity = 100_000;

const keyOf = (target: LockoutTarget): string => {
  switch (target.counter) {
    case 'account-source':
      return JSON.stringify([target.account, target.source]);
    case 'source':
      return target.source;
    case 'account':
      return target.account;
  }
};

/** What one login is counted by. */
function targetsOf({ name, source, account }: LoginKey): LockoutTarget[] {
  const network = sourceNetwork(source);
  return [
    ...(name === '' ? [] : [{ counter: 'account-source', account: name, source: network } as const]),
    { counter: 'source', source: network },
    ...(account === 'known' ? [{ counter: 'account', account: name } as const] : []),
  ];
}

const failuresOf = (settings: LockoutSettings, counter: LockoutCounter): number | null =>
  ({ 'account-source': settings.accountSource, source: settings.source, account: settings.account })[counter];

const ruleOf = (settings: LockoutSettings, failures: number): CounterRule => ({
  failures,
  windowMs: settings.windowSeconds * 1000,
  blockMs: settings.blockSeconds * 1000,
  longestBlockMs: settings.longestBlockSeconds * 1000,
});

export function createLockouts({
  settings,
  now,
  began,
  capacity = defaultCapacity,
}: LockoutsOptions): LocalLockouts {
  const counters = {
    'account-source': createFailureCounters(capacity),
    source: createFailureCounters(capacity),
    account: createFailureCounters(capacity),
  };
  const steps = createSpentSteps(capacity);
  let denied: Readonly<Record<LockoutCounter, ReadonlyMap<string, number>>> = noneDenied();
  let unlocked: ReadonlySet<string> = new Set();

  const isAllowed = (source: string): boolean => addressIn(source, settings().allow);

  return {
    async check(key) {
      if (isAllowed(key.source)) return { kind: 'open' };
      const at = now();
      for (const target of targetsOf(key)) {
        const counted = keyOf(target);
        const own = counters[target.counter].blockedUntil(counted, at) !== undefined;
        if (own || (denied[target.counter].get(counted) ?? 0) > at) {
          return { kind: 'blocked', counter: target.counter };
        }
      }
      return { kind: 'open' };
    },

    async failed(key) {
      if (isAllowed(key.source)) return;
      const current = settings();
      for (const target of targetsOf(key)) {
        const failures = failuresOf(current, target.counter);
        if (failures === null) continue;
        const until = counters[target.counter].fail(keyOf(target), ruleOf(current, failures), now());
        if (until !== undefined) began({ target, until });
      }
    },

    async succeeded(key) {
      for (const target of targetsOf(key)) {
        if (target.counter === 'account-source') counters['account-source'].clear(keyOf(target));
      }
    },

    spendStep: async (factor, step) => steps.spend(factor, step),

    enforce({ entries }) {
      const next = noneDenied();
      const seen = new Set<string>();
      for (const entry of entries) {
        switch (entry.type) {
          case 'session':
            break;
          case 'unlock': {
            const { target, at } = entry;
            const told = `${at} ${target.counter} ${keyOf(target)}`;
            seen.add(told);
            if (!unlocked.has(told)) counters[target.counter].clear(keyOf(target));
            break;
          }
          default: {
            const { type: counter, until, ...who } = entry;
            next[counter].set(keyOf({ counter, ...who } as LockoutTarget), Date.parse(until));
          }
        }
      }
      denied = next;
      unlocked = seen;
    },
  };
}

const noneDenied = (): Record<LockoutCounter, Map<string, number>> => ({
  'account-source': new Map(),
  source: new Map(),
  account: new Map(),
});
