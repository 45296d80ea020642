import { type LiveSession, maxReportedSessions, type SessionReport } from '@sallyport/model';

export type SessionDirectoryOptions = {
  /** The operator has ended it: no process takes it up again. */
  readonly denied?: (id: string) => boolean;
  /** A session is over. */
  readonly ended?: (session: LiveSession, reason: string | undefined) => void;
  /** A session is over that more than one process serves: the others are to let go of it. */
  readonly endElsewhere?: (id: string) => void;
};

/** The places that all sessions of a node share: how many an account has, and what the control plane is told of each. */
export interface SessionPlaces {
  /**
   * Takes a place for a session, until `leave`. One that another process of the node serves already, with the same id
   * and account, is the same session and takes no more.
   *
   * @param account id of its account
   * @returns false where the account has as many as it may, or the operator has ended the session
   */
  enter(session: LiveSession, account: string, maxSessions: number): Promise<boolean>;
  /** Its rules have become stricter than what admitted it, or are as they were again. */
  mark(session: string, outdated: LiveSession['outdated']): void;
  /**
   * It is over, wherever it is served.
   *
   * @param reason left out where the client has gone by itself
   */
  leave(session: string, reason?: string): void;
}

/** Every session of the node, whichever of its processes serves it. */
export interface SessionDirectory {
  /**
   * Places for one process: they are gone with it. `lost` tells of the sessions that no other process serves, each with
   * the reason `process-lost`.
   */
  forProcess(): { readonly places: SessionPlaces; lost(): void };
  /** What the control plane is told, the oldest first. */
  report(): SessionReport;
  /** Grows with each change of what `report` tells. */
  readonly changes: number;
}

type Entry = { session: LiveSession; readonly account: string; processes: number };

export function createSessionDirectory({
  denied,
  ended,
  endElsewhere,
}: SessionDirectoryOptions = {}): SessionDirectory {
  const all = new Map<string, Entry>();
  const perAccount = new Map<string, number>();
  let changes = 0;

  function count(account: string, change: 1 | -1): void {
    const sessions = (perAccount.get(account) ?? 0) + change;
    if (sessions > 0) perAccount.set(account, sessions);
    else perAccount.delete(account);
  }

  /** Nothing where it is over already. */
  function strike(entry: Entry, reason: string | undefined): void {
    const { session, account } = entry;
    if (all.get(session.id) !== entry) return;
    all.delete(session.id);
    count(account, -1);
    changes++;
    ended?.(session, reason);
    if (entry.processes > 0) endElsewhere?.(session.id);
  }

  return {
    forProcess() {
      const own = new Map<string, Entry>();
      let gone = false;
      /** Forgets it for this process. */
      function letGo(id: string): Entry | undefined {
        const entry = own.get(id);
        if (entry && own.delete(id)) entry.processes--;
        return entry;
      }
      return {
        places: {
          async enter(session, account, maxSessions) {
            if (gone || own.has(session.id) || denied?.(session.id)) return false;
            const elsewhere = all.get(session.id);
            if (elsewhere) {
              if (elsewhere.account !== account) return false;
              elsewhere.processes++;
              own.set(session.id, elsewhere);
              return true;
            }
            if ((perAccount.get(account) ?? 0) >= maxSessions) return false;
            const entry = { session, account, processes: 1 };
            own.set(session.id, entry);
            all.set(session.id, entry);
            count(account, 1);
            changes++;
            return true;
          },
          mark(id, outdated) {
            const entry = own.get(id);
            if (!entry || entry.session.outdated === outdated) return;
            entry.session = { ...entry.session, outdated };
            changes++;
          },
          leave(id, reason) {
            const entry = letGo(id);
            if (entry) strike(entry, reason);
          },
        },
        lost() {
          gone = true;
          for (const id of [...own.keys()]) {
            const entry = letGo(id);
            if (entry?.processes === 0) strike(entry, 'process-lost');
          }
        },
      };
    },
    report: () => ({
      total: all.size,
      items: [...all.values()].slice(0, maxReportedSessions).map(({ session }) => session),
    }),
    get changes() {
      return changes;
    },
  };
}
