import type { ItemReport } from '@sallyport/model';
import type { BuiltView } from './snapshot-view.ts';

/** Those who serve what the agent of the node has fetched: its own process, or several that it runs. */
export interface Crew {
  /** Serves the snapshot that is in force, and on the disk, from now on. Settles once all do, or have been replaced. */
  apply(built: BuiltView): Promise<void>;
  /** One report per server, for what is served now: what one process cannot do, the node cannot. */
  items(): readonly ItemReport[];
  /** The snapshot is the same, its timestamp a newer one. */
  renewed(): void;
  /** Ends those of these sessions that there are. */
  endSessions(ids: readonly string[]): void;
  /** Ports by server id. */
  ports(): ReadonlyMap<string, number>;
  /** Stops accepting, lets running sessions end for at most that long, then closes. */
  drain(graceMs: number): Promise<void>;
}
