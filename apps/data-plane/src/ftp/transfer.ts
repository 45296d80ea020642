import { randomBytes } from 'node:crypto';
import { type Fault, ok, type Result } from '@sallyport/faults';
import {
  childOf,
  nameOf,
  parentOf,
  type VirtualPath,
  type WriteHandle,
  type WriteMode,
} from '@sallyport/files';
import {
  type AsciiConverter,
  faultReply,
  fromNetworkAscii,
  listing,
  type Placing,
  type Reply,
  reply,
  type Transfer,
  toNetworkAscii,
} from '@sallyport/ftp';
import type { Session, TransferReport } from '../session.ts';
import type { DataConnection, DataOutcome } from './data-connection.ts';
import { receiveFile } from './receive.ts';
import { finish, type Sent, sendFile, sendText } from './send.ts';

/** What a transfer is run with. */
export type TransferMeans = {
  readonly session: Session;
  /** Opens the data connection; the signal ends it. */
  readonly connect: (direction: 'in' | 'out') => Promise<DataOutcome>;
  /** Sends the preliminary reply. */
  readonly announce: (given: Reply) => void;
  readonly now: number;
  /** Is told the bytes of a file over the wire so far. */
  readonly onProgress: (bytes: number) => void;
};

const cutFault: Fault = { code: 'transfer-cut' };

/**
 * Runs a transfer from its preliminary reply to the end of its data connection, and reports files to the session.
 * The file is opened first: what cannot be opened costs no data connection. An upload is committed before this
 * returns, or leaves nothing.
 *
 * @returns the final reply
 */
export function runTransfer(transfer: Transfer, means: TransferMeans): Promise<Reply> {
  switch (transfer.kind) {
    case 'retrieve':
      return retrieve(transfer, means);
    case 'store':
      return store(transfer, means);
    case 'list':
      return list(transfer, means);
  }
}

const failedConnection: Readonly<Record<(DataOutcome & { kind: 'failed' })['reason'], Reply>> = {
  'no-connection': reply(425, 'No data connection came in.'),
  'tls-failed': reply(425, 'TLS on the data connection failed.'),
  'session-not-own': reply(522, 'The data connection must resume the TLS session of its control connection.'),
};

/** Announces, connects, and runs the work on the connection, which is gone when this returns without a fault or with one. */
async function over<T extends { readonly fault: Fault | undefined }>(
  means: TransferMeans,
  direction: 'in' | 'out',
  work: (data: DataConnection) => Promise<T>,
  opening = 'Opening the data connection.',
): Promise<
  | { readonly kind: 'done'; readonly result: T }
  | { readonly kind: 'failed'; readonly reply: Reply; readonly reason: string }
> {
  means.announce(reply(150, opening));
  const opened = await means.connect(direction);
  if (opened.kind === 'failed') {
    return { kind: 'failed', reply: failedConnection[opened.reason], reason: opened.reason };
  }
  const { data } = opened;
  try {
    const result = await work(data);
    if (result.fault) data.socket.destroy();
    else if (direction === 'in') void finish(data.socket);
    return { kind: 'done', result };
  } catch (error) {
    data.socket.destroy();
    throw error;
  }
}

const beyondEnd = reply(554, 'REST is beyond the end of the file.');
const completed = reply(226, 'Transfer complete.');

const outcomeOf = (fault: Fault | undefined): Pick<TransferReport, 'outcome' | 'reason'> =>
  fault === undefined
    ? { outcome: 'completed' }
    : { outcome: fault.code === 'transfer-cut' ? 'cut' : 'failed', reason: fault.detail ?? fault.code };

async function retrieve(transfer: Transfer & { kind: 'retrieve' }, means: TransferMeans): Promise<Reply> {
  const { path } = transfer;
  const opened = await means.session.files.openRead(path);
  if (!opened.ok) return faultReply(opened.fault.code);
  const file = opened.value;
  const report = (bytes: number, how: Pick<TransferReport, 'outcome' | 'reason'>): void =>
    means.session.report({ direction: 'download', path, bytes, ...how });
  try {
    const attributes = await file.attributes();
    if (!attributes.ok) return faultReply(attributes.fault.code);
    if (transfer.offset > attributes.value.size) return beyondEnd;
    const convert: AsciiConverter | undefined = transfer.type === 'ascii' ? toNetworkAscii() : undefined;
    const done = await over<Sent>(means, 'out', ({ socket }) =>
      sendFile(socket, file, {
        from: transfer.offset,
        to: attributes.value.size,
        convert,
        onProgress: means.onProgress,
      }),
    );
    if (done.kind === 'failed') {
      report(0, { outcome: 'failed', reason: done.reason });
      return done.reply;
    }
    const { bytes, fault } = done.result;
    report(bytes, outcomeOf(fault));
    return fault ? connectionFailed(fault) : completed;
  } finally {
    await file.close();
  }
}

/** `transfer-cut` speaks of a file that was not stored: true of a staged upload alone. */
const connectionFailed = (fault: Fault): Reply =>
  fault.code === 'transfer-cut' ? reply(426, 'The data connection was cut.') : faultReply(fault.code);

/** How the file system opens what an upload goes into. Whoever goes on may as well be the first: then at 0. */
const writeModes: Readonly<Record<Placing['kind'], WriteMode>> = {
  replace: 'replace',
  unique: 'create',
  append: 'update-or-create',
  restart: 'update-or-create',
};

/** A name that nobody else has or guesses: what a client uploads beside others must not depend on the order. */
function uniquePath(path: VirtualPath): Result<VirtualPath> {
  return childOf(parentOf(path), `${nameOf(path)}.${randomBytes(8).toString('hex')}`);
}

/** Where in the file the upload begins; a hole before it would be bytes that nobody has sent. */
async function beginningOf(placing: Placing, file: WriteHandle): Promise<Result<number | undefined>> {
  if (placing.kind === 'replace' || placing.kind === 'unique') return ok(0);
  const attributes = await file.attributes();
  if (!attributes.ok) return attributes;
  const { size } = attributes.value;
  if (placing.kind === 'restart') return ok(placing.offset > size ? undefined : placing.offset);
  return ok(size);
}

async function store(transfer: Transfer & { kind: 'store' }, means: TransferMeans): Promise<Reply> {
  const { placing } = transfer;
  const named = placing.kind === 'unique' ? uniquePath(transfer.path) : ok(transfer.path);
  if (!named.ok) return faultReply(named.fault.code);
  const path = named.value;
  const opened = await means.session.files.openWrite(path, writeModes[placing.kind]);
  if (!opened.ok) return faultReply(opened.fault.code);
  const file = opened.value;
  const report = (bytes: number, how: Pick<TransferReport, 'outcome' | 'reason'>): void =>
    means.session.report({ direction: 'upload', path, bytes, ...how });
  let placed = false;
  try {
    const beginning = await beginningOf(placing, file);
    if (!beginning.ok) return faultReply(beginning.fault.code);
    const from = beginning.value;
    if (from === undefined) return beyondEnd;
    const convert = transfer.type === 'ascii' ? fromNetworkAscii() : undefined;
    const done = await over(
      means,
      'in',
      (data) => receiveFile(data, file, { from, convert, onProgress: means.onProgress }),
      // RFC 1123 section 4.1.2.9: the name in this form and place.
      placing.kind === 'unique' ? `FILE: ${nameOf(path)}` : undefined,
    );
    if (done.kind === 'failed') {
      report(0, { outcome: 'failed', reason: done.reason });
      return done.reply;
    }
    const { bytes, fault: cut } = done.result;
    let fault = cut;
    // A session that was ended meanwhile leaves nothing behind, whatever its connection still brought.
    if (!fault && means.session.ended.aborted) fault = cutFault;
    if (!fault) {
      placed = true;
      fault = faultOf(await file.commit());
    }
    report(bytes, outcomeOf(fault));
    if (!fault) return completed;
    return file.placement === 'staged' ? faultReply(fault.code) : connectionFailed(fault);
  } finally {
    if (!placed) await file.abandon();
  }
}

const faultOf = (result: Result<void>): Fault | undefined => (result.ok ? undefined : result.fault);

async function list(transfer: Transfer & { kind: 'list' }, means: TransferMeans): Promise<Reply> {
  const listed = await listing(means.session.files, transfer, means.now);
  if (!listed.ok) return faultReply(listed.fault.code);
  try {
    const done = await over<Sent>(means, 'out', ({ socket }) =>
      sendText(socket, listed.value, transfer.encoding),
    );
    if (done.kind === 'failed') return done.reply;
    return done.result.fault ? connectionFailed(done.result.fault) : completed;
  } finally {
    await listed.value.return?.();
  }
}
