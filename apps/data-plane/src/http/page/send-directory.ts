import { faults } from '@sallyport/faults';
import type { DirectoryEntry } from '@sallyport/files';
import type { Exchange } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer, cut, ended, writeHead, written } from '../outgoing.ts';
import { sendProblem } from '../problem.ts';
import { pageHeaders } from '../security-headers.ts';
import type { Target } from '../target.ts';
import { failurePage } from './action-page.ts';
import { afterEntries, beforeEntries, dropPage, entryRow } from './directory-page.ts';
import type { PageUser } from './layout.ts';
import { sendPage } from './send-page.ts';

/** Entries that are put in order; those after them follow as the disk has them, so that memory stays bounded. */
const maxSorted = 10_000;

const collator = new Intl.Collator('en', { numeric: true });
const foldersFirst = (left: DirectoryEntry, right: DirectoryEntry): number =>
  Number(right.attributes.kind === 'directory') - Number(left.attributes.kind === 'directory') ||
  collator.compare(left.name, right.name);

/** The page of a directory, written as the directory is read. */
export async function sendDirectoryPage(
  exchange: Exchange,
  form: Target['form'],
  user: PageUser,
): Promise<void> {
  const { incoming, outgoing, session, path } = exchange;
  if (form === 'plain' && path !== '/') {
    // Clients that read listings take a path without its slash for a file, unless it leads on.
    return answer(outgoing, 308, { Location: hrefOf(path, 'directory'), 'Cache-Control': 'no-store' });
  }
  const may = session.files.permits(path);
  const listed = await session.files.list(path);
  if (!listed.ok) {
    const { code } = listed.fault;
    if (incoming.headers.accept === undefined) return sendProblem(outgoing, code);
    if (code === 'permission-denied' && may.includes('create')) {
      return sendPage(outgoing, 200, dropPage(path, user, may));
    }
    return sendPage(outgoing, faults[code].http, failurePage([{ text: faults[code].text }], '/', user));
  }
  writeHead(outgoing, 200, pageHeaders);
  let count = 0;
  const write = async (entries: readonly DirectoryEntry[]) => {
    for (let at = 0; at < entries.length; at += 500) {
      const rows = entries.slice(at, at + 500).map((entry) => entryRow(path, entry, may));
      if ((await written(outgoing, rows.join(''))) === 'closed') return 'closed';
    }
    return 'written';
  };
  try {
    const isGone =
      incoming.method === 'HEAD' || (await written(outgoing, beforeEntries(path, user, may))) === 'closed';
    let sorted: DirectoryEntry[] | undefined = [];
    // The directory is closed by reading it.
    for await (const batch of listed.value) {
      if (isGone) break;
      count += batch.length;
      if (sorted) sorted.push(...batch);
      if (sorted && sorted.length < maxSorted) continue;
      const ready: readonly DirectoryEntry[] = sorted ? sorted.sort(foldersFirst) : batch;
      sorted = undefined;
      if ((await write(ready)) === 'closed') return;
    }
    if (isGone) sorted = undefined;
    if (sorted && (await write(sorted.sort(foldersFirst))) === 'closed') return;
    if (!isGone) await written(outgoing, afterEntries(count));
  } catch {
    // Half a listing must not look like a whole one.
    cut(outgoing);
    return;
  }
  await ended(outgoing);
}
