/** An exclusive write lock (RFC 4918 section 6), as plain data. */
export type Lock = {
  /** `urn:uuid:…` */
  readonly token: string;
  /** Where it was put, as a path of the storage: the same for all accounts whose homes meet there. */
  readonly path: string;
  readonly depth: '0' | 'infinity';
  /** Id of the account that holds it. */
  readonly principal: string;
  /** What the client said of its owner, as text. */
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
};

/**
 * The write locks of a node: in this process, or in one that all its processes ask. Every call takes and gives plain
 * data, and `now` with it.
 */
export interface LockTable {
  /** @returns `conflict` where another lock holds it, or something below a lock of depth infinity */
  acquire(lock: Lock, now: number): Promise<'acquired' | 'conflict' | 'full'>;
  /** Moves the end of a lock that covers the path. */
  refresh(token: string, path: string, until: number, now: number): Promise<Lock | undefined>;
  release(token: string): Promise<void>;
  /**
   * The locks that a change at the path meets.
   *
   * @param reach `self`: of the path; `member`: and of its directory, for a name that comes or goes; `tree`: and of
   *   everything below
   */
  covering(path: string, reach: 'self' | 'member' | 'tree', now: number): Promise<readonly Lock[]>;
  /** What was there is gone, and its locks with it. */
  forget(path: string): Promise<void>;
}

/** Shared by all; one account can take no more than its part. */
const maxLocks = 10_000;
const maxPerPrincipal = 500;

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
const isBelow = (path: string, above: string): boolean =>
  above === '/' ? path !== '/' : path.length > above.length && path.startsWith(`${above}/`);

/** The table of a single process. */
export function locksInMemory(): LockTable {
  const byPath = new Map<string, Lock>();

  function alive(path: string, now: number): Lock | undefined {
    const lock = byPath.get(path);
    if (lock && lock.until <= now) byPath.delete(path);
    return lock && lock.until > now ? lock : undefined;
  }

  function covering(path: string, reach: 'self' | 'member' | 'tree', now: number): Lock[] {
    const found: Lock[] = [];
    const own = alive(path, now);
    if (own) found.push(own);
    for (let above = path; above !== '/'; ) {
      above = parentOf(above);
      const lock = alive(above, now);
      const counts = lock && (lock.depth === 'infinity' || (reach !== 'self' && above === parentOf(path)));
      if (counts) found.push(lock);
    }
    if (reach === 'tree') {
      for (const lock of byPath.values()) if (isBelow(lock.path, path) && lock.until > now) found.push(lock);
    }
    return found;
  }

  return {
    async acquire(lock, now) {
      const met = covering(lock.path, lock.depth === 'infinity' ? 'tree' : 'self', now);
      // A depth-0 lock of the directory protects its names, not what they name.
      if (
        met.some(({ path, depth }) => depth === 'infinity' || path === lock.path || isBelow(path, lock.path))
      ) {
        return 'conflict';
      }
      let own = 0;
      for (const [path, other] of byPath) {
        if (other.until <= now) byPath.delete(path);
        else if (other.principal === lock.principal) own++;
      }
      if (byPath.size >= maxLocks || own >= maxPerPrincipal) return 'full';
      byPath.set(lock.path, lock);
      return 'acquired';
    },

    async refresh(token, path, until, now) {
      const lock = covering(path, 'self', now).find((one) => one.token === token);
      if (!lock) return undefined;
      const refreshed = { ...lock, until };
      byPath.set(lock.path, refreshed);
      return refreshed;
    },

    async release(token) {
      for (const [path, lock] of byPath) if (lock.token === token) byPath.delete(path);
    },

    covering: async (path, reach, now) => covering(path, reach, now),

    async forget(path) {
      for (const at of byPath.keys()) if (at === path || isBelow(at, path)) byPath.delete(at);
    },
  };
}
