import { type LiveSession, maxReportedSessions, type SessionReport } from '@sallyport/model';

/** The places that all sessions of a node share: how many an account has, and what the control plane is told of each. */
export interface SessionPlaces {
  /**
   * Takes a place for a session, until `leave`.
   *
   * @param account id of its account
   * @returns false where the account has as many as it may
   */
  enter(session: LiveSession, account: string, maxSessions: number): Promise<boolean>;
  /** Its rules have become stricter than what admitted it, or are as they were again. */
  mark(session: string, outdated: LiveSession['outdated']): void;
  leave(session: string): void;
}

/** Every session of the node, whichever of its processes serves it. */
export interface SessionDirectory {
  /** Places for one process: they are gone with it. */
  forProcess(): { readonly places: SessionPlaces; lost(): readonly LiveSession[] };
  /** What the control plane is told, the oldest first. */
  report(): SessionReport;
  /** Grows with each change of what `report` tells. */
  readonly changes: number;
}

type Entry = { session: LiveSession; readonly account: string };

export function createSessionDirectory(): SessionDirectory {
  const all = new Map<string, Entry>();
  const perAccount = new Map<string, number>();
  let changes = 0;

  function count(account: string, change: 1 | -1): void {
    const sessions = (perAccount.get(account) ?? 0) + change;
    if (sessions > 0) perAccount.set(account, sessions);
    else perAccount.delete(account);
  }

  return {
    forProcess() {
      const own = new Map<string, Entry>();
      let gone = false;
      function leave(id: string): void {
        const entry = own.get(id);
        if (!entry) return;
        own.delete(id);
        all.delete(id);
        count(entry.account, -1);
        changes++;
      }
      return {
        places: {
          async enter(session, account, maxSessions) {
            if (gone || all.has(session.id) || (perAccount.get(account) ?? 0) >= maxSessions) return false;
            const entry = { session, account };
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
          leave,
        },
        lost() {
          gone = true;
          const sessions = [...own.values()].map(({ session }) => session);
          for (const { id } of sessions) leave(id);
          return sessions;
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
