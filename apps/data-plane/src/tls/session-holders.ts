/** Who a control connection is of, once it has logged in. Plain data. */
export type SessionHolder = { readonly account: string; readonly source: string };

/**
 * Whose the control connections are, so that the data connection of one may take up the TLS session of another of the
 * same account and address: clients that transfer in parallel keep their sessions in one place.
 */
export interface SessionHolders {
  /** A control connection whose login is still open. */
  open(control: string): void;
  bind(control: string, holder: SessionHolder): void;
  /** It is gone. Its holder is remembered for as long as its sessions may be taken up; without a login, nothing is. */
  close(control: string): void;
  /** The holder; waits for a login that is still open, and has nothing for one that never was or failed. */
  holderOf(control: string): Promise<SessionHolder | undefined>;
}

type Entry = {
  holder?: SessionHolder;
  closedAt?: number;
  waiting: ((holder: SessionHolder | undefined) => void)[];
};

/** A login takes its time; a data connection does not wait for it longer than a client would. */
const loginWaitMs = 10_000;
const mostWaiting = 64;

/**
 * @param capacity most control connections that are remembered after they have closed
 * @param lifetimeMs how long they are remembered
 * @param now milliseconds since the epoch
 */
export function createSessionHolders(options: {
  readonly capacity: number;
  readonly lifetimeMs: number;
  readonly now: () => number;
}): SessionHolders {
  const live = new Map<string, Entry>();
  /** In the order in which they closed. */
  const gone = new Map<string, { readonly holder: SessionHolder; readonly until: number }>();

  const settle = (entry: Entry): void => {
    for (const tell of entry.waiting.splice(0)) tell(entry.holder);
  };

  return {
    open(control) {
      live.set(control, { waiting: [] });
    },
    bind(control, holder) {
      const entry = live.get(control);
      if (!entry) return;
      entry.holder = holder;
      settle(entry);
    },
    close(control) {
      const entry = live.get(control);
      if (!entry) return;
      live.delete(control);
      settle(entry);
      if (!entry.holder) return;
      gone.set(control, { holder: entry.holder, until: options.now() + options.lifetimeMs });
      for (const [oldest, { until }] of gone) {
        if (gone.size <= options.capacity && until > options.now()) break;
        gone.delete(oldest);
      }
    },
    async holderOf(control) {
      const entry = live.get(control);
      if (entry?.holder) return entry.holder;
      if (!entry) {
        const before = gone.get(control);
        return before && before.until > options.now() ? before.holder : undefined;
      }
      if (entry.waiting.length >= mostWaiting) return undefined;
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), loginWaitMs);
        entry.waiting.push((holder) => {
          clearTimeout(timer);
          resolve(holder);
        });
      });
    },
  };
}
