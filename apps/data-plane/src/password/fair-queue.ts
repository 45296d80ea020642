/** A queue in which sources take turns: whoever adds much waits for himself and not the others for him. */
export interface FairQueue<T> {
  add(source: string, item: T): void;
  /** The oldest item of the source whose turn it is; nothing where none is left. */
  take(): T | undefined;
}

export function createFairQueue<T>(): FairQueue<T> {
  /** In the order of their turns; never an empty list. */
  const bySource = new Map<string, T[]>();
  return {
    add(source, item) {
      const own = bySource.get(source);
      if (own) own.push(item);
      else bySource.set(source, [item]);
    },
    take() {
      const [turn] = bySource;
      if (!turn) return undefined;
      const [source, items] = turn;
      const item = items.shift();
      bySource.delete(source);
      if (items.length > 0) bySource.set(source, items);
      return item;
    },
  };
}
