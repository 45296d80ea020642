import type { DirectoryEntry } from '@sallyport/files';
import type { Exchange } from './exchange.ts';
import { cut, ended, written } from './outgoing.ts';
import { sendProblem } from './problem.ts';

const rfc3339 = (milliseconds: number): string => {
  const date = new Date(milliseconds);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
};

const entryOf = ({ name, attributes }: DirectoryEntry): string =>
  JSON.stringify({
    name,
    kind: attributes.kind,
    size: attributes.size,
    modifiedAt: rfc3339(attributes.modifiedAt),
  });

/** Answers `{path, entries: [{name, kind, size, modifiedAt}]}`, written as the directory is read. */
export async function sendListing({ incoming, outgoing, session, path }: Exchange): Promise<void> {
  const listed = await session.files.list(path);
  if (!listed.ok) return sendProblem(outgoing, listed.fault.code);
  outgoing.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  let separator = '';
  try {
    if (incoming.method === 'GET') outgoing.write(`{"path":${JSON.stringify(path)},"entries":[`);
    for await (const batch of listed.value) {
      if (incoming.method === 'HEAD') break;
      if (batch.length === 0) continue;
      if ((await written(outgoing, separator + batch.map(entryOf).join(','))) === 'closed') return;
      separator = ',';
    }
  } catch {
    // Half a listing must not look like a whole one.
    cut(outgoing);
    return;
  }
  if (incoming.method === 'GET') outgoing.write(']}');
  await ended(outgoing);
}
