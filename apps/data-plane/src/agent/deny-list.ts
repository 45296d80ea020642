import { ok, type Result } from '@sallyport/faults';
import { type DenyListDocument, type RootDocument, verifyDenyList } from '@sallyport/snapshot/node';

/** Where the node keeps its copy of the signed list. */
export interface DenyListDisk {
  readDenyList(): Promise<string | undefined>;
  writeDenyList(envelope: string): Promise<void>;
}

/** The deny list in force (design section 5). It can only refuse or end: without one, nothing is denied. */
export interface DenyLists {
  readonly inForce: DenyListDocument | undefined;
  /** Sequence to poll with: 0 where the list held is of another trust epoch. */
  sequenceUnder(root: RootDocument): number;
  /** Verifies and takes in what the disk holds. */
  loadFromDisk(root: RootDocument): Promise<Result<void>>;
  /**
   * Verifies a list that came with a poll, writes it to the disk, and only then puts it in force.
   *
   * @returns the first check's fault; a list that is not newer is no fault and changes nothing
   */
  takeIn(root: RootDocument, envelope: string): Promise<Result<void>>;
}

/** @param changed told of each list that comes into force */
export function createDenyLists(
  zone: string,
  disk: DenyListDisk,
  now: () => number,
  changed: (list: DenyListDocument) => void,
): DenyLists {
  let inForce: DenyListDocument | undefined;
  function enforce(list: DenyListDocument): void {
    inForce = list;
    changed(list);
  }
  return {
    get inForce() {
      return inForce;
    },
    sequenceUnder: (root) => (inForce?.trustEpoch === root.trustEpoch ? inForce.sequence : 0),
    async loadFromDisk(root) {
      const envelope = await disk.readDenyList();
      if (envelope === undefined) return ok(undefined);
      const list = await verifyDenyList(root, zone, envelope, undefined, 'from-disk');
      if (!list.ok) return list;
      if (list.value !== 'older') enforce(list.value);
      return ok(undefined);
    },
    async takeIn(root, envelope) {
      const list = await verifyDenyList(root, zone, envelope, inForce, now());
      if (!list.ok) return list;
      if (list.value === 'older') return ok(undefined);
      await disk.writeDenyList(envelope);
      enforce(list.value);
      return ok(undefined);
    },
  };
}

/** Ids of the sessions that a list denies at a time (milliseconds). */
export const deniedSessions = (list: DenyListDocument, at: number): string[] =>
  list.entries.flatMap((entry) =>
    entry.type === 'session' && Date.parse(entry.until) > at ? [entry.session] : [],
  );
