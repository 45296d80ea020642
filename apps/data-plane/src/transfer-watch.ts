import type { FileSystem } from '@sallyport/files';

/** A file that is being sent or received. */
export type RunningTransfer = {
  readonly direction: 'upload' | 'download';
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
};

export type TransferWatchOptions = {
  readonly now: () => number;
  /** A file has been open for so long that its start is worth an event of its own. */
  readonly onLasting: (transfer: RunningTransfer) => void;
};

/** Files that are watched, and since when each is open. */
export type TransferWatch = {
  readonly files: FileSystem;
  /** When the transfer began that is being reported; asked once for each. */
  readonly startOf: (direction: RunningTransfer['direction'], path: string) => number | undefined;
};

/** The start of a shorter transfer is told with its end: a thousand small files are a thousand events, not two. */
const lastingMs = 5_000;

type Watched = RunningTransfer & { readonly timer: NodeJS.Timeout };

/** Watches which files are open for reading or writing, whatever the protocol that opens them. */
export function watchTransfers(files: FileSystem, { now, onLasting }: TransferWatchOptions): TransferWatch {
  const open = new Set<Watched>();

  function began(direction: RunningTransfer['direction'], path: string): () => void {
    const transfer = { direction, path, startedAt: now() };
    const timer = setTimeout(() => onLasting(transfer), lastingMs);
    timer.unref();
    const watched: Watched = { ...transfer, timer };
    open.add(watched);
    return () => {
      clearTimeout(timer);
      // Some report first and then close, some the other way round.
      setImmediate(() => open.delete(watched));
    };
  }

  const closing = (over: () => void, close: () => Promise<void>) => async (): Promise<void> => {
    try {
      await close();
    } finally {
      over();
    }
  };

  return {
    files: {
      ...files,
      async openRead(path) {
        const opened = await files.openRead(path);
        if (!opened.ok) return opened;
        const handle = opened.value;
        const over = began('download', path);
        return { ok: true, value: { ...handle, close: closing(over, () => handle.close()) } };
      },
      async openWrite(path, mode, fileMode) {
        const opened = await files.openWrite(path, mode, fileMode);
        if (!opened.ok) return opened;
        const handle = opened.value;
        const over = began('upload', path);
        return {
          ok: true,
          value: {
            ...handle,
            async commit() {
              try {
                return await handle.commit();
              } finally {
                over();
              }
            },
            abandon: (whatIsThere) => closing(over, () => handle.abandon(whatIsThere))(),
          },
        };
      },
    },
    startOf(direction, path) {
      for (const watched of open) {
        if (watched.direction !== direction || watched.path !== path) continue;
        clearTimeout(watched.timer);
        open.delete(watched);
        return watched.startedAt;
      }
      return undefined;
    },
  };
}
