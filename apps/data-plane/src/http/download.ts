import { faults } from '@sallyport/faults';
import { nameOf, type ReadHandle, type VirtualPath } from '@sallyport/files';
import { preconditions, rangeHolds, type Validators, validatorsOf } from './conditions.ts';
import { type Exchange, headerValues } from './exchange.ts';
import { sendListing } from './listing.ts';
import { answer, cut, ended, written } from './outgoing.ts';
import { failurePage } from './page/action-page.ts';
import type { PageUser } from './page/layout.ts';
import { sendDirectoryPage } from './page/send-directory.ts';
import { sendPage } from './page/send-page.ts';
import { sendProblem } from './problem.ts';
import { type Span, spanOf } from './range.ts';
import type { Target } from './target.ts';

/** Download under a name that is never shown as a page (RFC 6266; RFC 8187 for other than ASCII). */
function disposition(path: VirtualPath): string {
  const name = nameOf(path);
  const encoded = [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9!#$&+.^_`|~-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  return `attachment; filename*=UTF-8''${encoded}`;
}

const fileHeaders = (path: VirtualPath, validators: Validators): Record<string, string> => ({
  'Accept-Ranges': 'bytes',
  'Cache-Control': 'private, no-cache',
  'Content-Disposition': disposition(path),
  ETag: validators.etag,
  'Last-Modified': validators.lastModified,
});

/**
 * GET and HEAD: a file, whole or one range of it, or the listing of a directory.
 *
 * @param pageFor who is shown the listing as a page; absent: it is JSON
 */
export async function download(
  exchange: Exchange,
  form: Target['form'],
  pageFor: PageUser | undefined,
): Promise<void> {
  const { outgoing, session, path } = exchange;
  const opened = await session.files.openRead(path);
  if (opened.ok) {
    try {
      await sendFile(exchange, opened.value);
    } finally {
      await opened.value.close();
    }
    return;
  }
  // Whoever may list a directory need not be allowed to read it.
  const attributes = await session.files.stat(path);
  if (attributes.ok && attributes.value.kind === 'directory') {
    return pageFor ? sendDirectoryPage(exchange, form, pageFor) : sendListing(exchange);
  }
  const { code } = opened.fault;
  // Whoever names no type takes a listing as a page, and a refusal as the document that programs read.
  const refusalIsPage = pageFor !== undefined && exchange.incoming.headers.accept !== undefined;
  const mayDrop = !attributes.ok && session.files.permits(path).includes('create');
  if (refusalIsPage && mayDrop && code === 'permission-denied' && form === 'directory') {
    return sendDirectoryPage(exchange, form, pageFor);
  }
  const offset: Record<string, string> =
    attributes.ok && attributes.value.unfinished ? { 'Upload-Offset': String(attributes.value.size) } : {};
  if (refusalIsPage) {
    const { http, text } = faults[code];
    return sendPage(outgoing, http, failurePage([{ text }], '/', pageFor), offset);
  }
  sendProblem(outgoing, code, offset);
}

async function sendFile(exchange: Exchange, file: ReadHandle): Promise<void> {
  const { incoming, outgoing, path } = exchange;
  const attributes = await file.attributes();
  if (!attributes.ok) return sendProblem(outgoing, attributes.fault.code);
  const { size } = attributes.value;
  const validators = validatorsOf(attributes.value);
  const headers = fileHeaders(path, validators);

  switch (preconditions(incoming.headers, validators, 'read')) {
    case 'failed':
      return sendProblem(outgoing, 'precondition-failed');
    case 'not-modified':
      answer(outgoing, 304, headers);
      return;
    case 'proceed':
  }

  const honoured = incoming.method === 'GET' && rangeHolds(headerValues(incoming, 'if-range')[0], validators);
  const span = honoured ? spanOf(headerValues(incoming, 'range')[0], size) : 'whole';
  if (span === 'unsatisfiable') {
    answer(outgoing, 416, { 'Content-Range': `bytes */${size}` });
    return;
  }
  const { start, length } = span === 'whole' ? { start: 0, length: size } : span;
  outgoing.writeHead(span === 'whole' ? 200 : 206, {
    ...headers,
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(length),
    ...(span === 'whole' ? {} : { 'Content-Range': `bytes ${start}-${start + length - 1}/${size}` }),
  });
  if (incoming.method === 'HEAD') {
    outgoing.end();
    return;
  }
  await sendSpan(exchange, file, { start, length });
}

/** Sends the bytes from two buffers in turn: while one is on its way, the other is filled. */
async function sendSpan(exchange: Exchange, file: ReadHandle, span: Span): Promise<void> {
  const { outgoing, session, path } = exchange;
  const blockSize = Math.min(exchange.blockSize, span.length);
  let filling = Buffer.allocUnsafe(blockSize);
  let spare = Buffer.allocUnsafe(span.length > blockSize ? blockSize : 0);
  let read = 0;
  let sent = 0;

  const fill = async (buffer: Buffer) => {
    const wanted = buffer.subarray(0, Math.min(buffer.length, span.length - read));
    if (wanted.length === 0) return { ok: true as const, value: wanted };
    const filled = await file.read(wanted, span.start + read);
    if (!filled.ok) return filled;
    read += filled.value;
    return { ok: true as const, value: wanted.subarray(0, filled.value) };
  };
  const report = (outcome: 'completed' | 'cut' | 'failed', reason?: string) =>
    session.report({
      direction: 'download',
      path,
      bytes: sent,
      outcome,
      ...(reason === undefined ? {} : { reason }),
    });

  let block = await fill(filling);
  while (block.ok && block.value.length > 0) {
    const sending = block.value;
    const [outcome, next] = await Promise.all([written(outgoing, sending), fill(spare)]);
    if (outcome === 'closed') return report('cut');
    sent += sending.length;
    [filling, spare] = [spare, filling];
    block = next;
  }
  if (!block.ok || sent < span.length) {
    // The length was promised: only a cut tells the client that these are not all bytes.
    cut(outgoing);
    return report('failed', block.ok ? 'the file became shorter' : block.fault.code);
  }
  report((await ended(outgoing)) === 'written' ? 'completed' : 'cut');
}
