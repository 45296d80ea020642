import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { diskCallsBelow } from '@sallyport/files/disk';
import { type Event, event } from '@sallyport/model';

/** An event before it has an id and a time. */
export type NewEvent = Omit<Event, 'id' | 'at'>;

/** Events of one file of the spool, delivered and removed together. */
export type SpoolBatch = {
  readonly name: string;
  readonly events: readonly Event[];
  /** `newest`: it holds all that there is. */
  readonly place: 'older' | 'newest';
};

type SpoolFile = { readonly name: string; count: number; bytes: number; open: number | undefined };

/** Events on disk until the control plane has them: nothing is lost while it is away (design section 2). */
export interface EventSpool {
  add(added: NewEvent): void;
  /** The oldest events that are on disk; new ones go into another file from then on. */
  oldest(): Promise<SpoolBatch | undefined>;
  remove(batch: SpoolBatch): Promise<void>;
  /** Waits until all added events are on disk. */
  flush(): Promise<void>;
}

const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
const eventsPerFile = 500;
/**
 * Bytes after which a file is full: it is delivered as one request, whose body the control plane bounds. A path of
 * control characters alone is 24 KiB of JSON, and whoever could fill a request with those would stop all delivery.
 */
const bytesPerFile = 1 << 20;
/** Beyond this the oldest file is given up: a full disk would stop the transfers. */
const maxFiles = 2_000;

/** Opens the spool in a folder; files of an earlier run are delivered first. */
export async function openEventSpool(
  folder: string,
  now: () => number,
  report: (message: string) => void,
): Promise<EventSpool> {
  const names = (await readdir(folder)).filter((name) => /^\d{15}\.jsonl$/.test(name)).sort();
  let next = Number(names.at(-1)?.slice(0, 15) ?? 0) + 1;
  let current: SpoolFile | undefined;
  const calls = diskCallsBelow(folder);
  let tail: Promise<void> = Promise.resolve();

  function currentFile(bytes: number): SpoolFile {
    if (!current || current.count >= eventsPerFile || current.bytes + bytes > bytesPerFile) {
      if (current) closeAfterwards(current);
      current = { name: `${String(next++).padStart(15, '0')}.jsonl`, count: 0, bytes: 0, open: undefined };
      names.push(current.name);
      const surplus = names.length > maxFiles ? names.shift() : undefined;
      if (surplus) {
        report('the event spool is full: its oldest events are given up');
        void unlink(join(folder, surplus)).catch(() => undefined);
      }
    }
    return current;
  }

  /** Once all that was added is in it. */
  function closeAfterwards(file: SpoolFile): void {
    tail = tail
      .then(async () => {
        if (file.open !== undefined) await calls.close(file.open);
        file.open = undefined;
      })
      .catch(() => undefined);
  }

  async function append(file: SpoolFile, line: Uint8Array): Promise<void> {
    file.open ??= await calls.open(join(folder, file.name), appending, 0o600);
    for (let written = 0; written < line.length; ) {
      // Opened for appending: the position is not looked at.
      written += await calls.write(file.open, line.subarray(written), 0);
    }
  }

  return {
    add(added) {
      const line = Buffer.from(
        `${JSON.stringify({ id: randomUUID(), at: new Date(now()).toISOString(), ...added })}\n`,
      );
      const file = currentFile(line.length);
      file.count++;
      file.bytes += line.length;
      tail = tail
        .then(() => append(file, line))
        .catch(() => report('an event could not be written to the spool'));
    },

    async oldest() {
      await tail;
      const name = names[0];
      if (name === undefined) return undefined;
      const place = current?.name === name ? 'newest' : 'older';
      if (current && place === 'newest') {
        closeAfterwards(current);
        current = undefined;
        await tail;
      }
      const content = await readFile(join(folder, name), 'utf8').catch(() => '');
      return { name, events: content.split('\n').flatMap(readLine), place };
    },

    async remove(batch) {
      await unlink(join(folder, batch.name)).catch(() => undefined);
      const at = names.indexOf(batch.name);
      if (at >= 0) names.splice(at, 1);
    },

    flush: () => tail,
  };
}

/** A line cut by a crash is no event. */
function readLine(line: string): Event[] {
  if (line === '') return [];
  try {
    const parsed = event.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
