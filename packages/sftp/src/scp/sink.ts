import { type Fault, ok, type Result, refuse } from '@sallyport/faults';
import { childOf, type VirtualPath, virtualPath, type WriteHandle } from '@sallyport/files';
import { wireLimits } from '../protocol.ts';
import { literalPath, type Word } from './command.ts';
import { maxDepth, type ScpContext } from './context.ts';
import { complaintOf } from './conversation.ts';

/** Milliseconds since the epoch, as a T line tells them. */
type Times = { readonly modifiedAt: number; readonly accessedAt: number };

/** A C or D line: what comes next. */
type Announced = {
  readonly kind: 'file' | 'directory';
  readonly mode: number;
  readonly size: number;
  readonly name: string;
};

function readTimes(line: string): Times | undefined {
  const [, modified, accessed] = /^T(\d{1,12}) \d{1,6} (\d{1,12}) \d{1,6}$/.exec(line) ?? [];
  return modified === undefined || accessed === undefined
    ? undefined
    : { modifiedAt: Number(modified) * 1_000, accessedAt: Number(accessed) * 1_000 };
}

function readAnnounced(line: string): Announced | undefined {
  const [, kind, mode, size, name] = /^([CD])([0-7]{4}) (\d{1,15}) (.+)$/s.exec(line) ?? [];
  if (mode === undefined || size === undefined || name === undefined) return undefined;
  return {
    kind: kind === 'C' ? 'file' : 'directory',
    mode: Number.parseInt(mode, 8) & 0o777,
    size: Number(size),
    name,
  };
}

/** Where things go: into a directory under their own names, or under the one name that was given. */
type Target = { readonly path: VirtualPath; readonly names: 'below' | 'itself' };

/** Receives what the client sends (`scp -t`). */
export async function sink(context: ScpContext): Promise<void> {
  const { command, files, peer } = context;
  const named = virtualPath(literalPath(command.paths[0] as Word));
  if (!named.ok) return peer.complain(named.fault, 'path');
  const there = await files.stat(named.value);
  const isDirectory = there.ok && there.value.kind === 'directory';
  if (command.intoDirectory && !isDirectory) {
    return peer.complain(there.ok ? { code: 'not-a-directory' } : there.fault, named.value);
  }
  await receive(context, { path: named.value, names: isDirectory ? 'below' : 'itself' }, 0);
}

/** Receives until the client leaves the directory. @returns whether the conversation goes on */
async function receive(context: ScpContext, target: Target, depth: number): Promise<'on' | 'over'> {
  const { peer } = context;
  let times: Times | undefined;
  await peer.acknowledge();
  for (;;) {
    const line = await peer.line();
    if (line === undefined) return 'over';
    const complaint = complaintOf(line);
    if (complaint) {
      peer.troubles++;
      if (complaint === 'over') return 'over';
      continue;
    }
    if (line === 'E' && depth > 0) {
      await peer.acknowledge();
      return 'on';
    }
    if (line.startsWith('T')) {
      times = readTimes(line);
      if (!times) return breach(context);
      await peer.acknowledge();
      continue;
    }
    const announced = readAnnounced(line);
    if (!announced) return breach(context);
    // The name stands for one thing in the target; it never leads elsewhere.
    const child = childOf(target.path, announced.name);
    if (!child.ok) return breach(context);
    const path = target.names === 'below' ? child.value : target.path;
    const kept = context.command.preserve ? times : undefined;
    times = undefined;
    const went =
      announced.kind === 'file'
        ? await receiveFile(context, path, announced, kept)
        : await receiveDirectory(context, path, announced, kept, depth);
    if (went === 'over') return 'over';
  }
}

/** The client does not speak the protocol: nothing that it says can be trusted to mean what we read. */
async function breach({ peer }: ScpContext): Promise<'over'> {
  await peer.complain({ code: 'message-malformed' }, 'protocol');
  return 'over';
}

async function receiveDirectory(
  context: ScpContext,
  path: VirtualPath,
  announced: Announced,
  times: Times | undefined,
  depth: number,
): Promise<'on' | 'over'> {
  const { files, peer } = context;
  if (!context.command.recursive || depth >= maxDepth) return breach(context);
  const made = await enterDirectory(context, path, announced.mode);
  if (!made.ok) {
    await peer.complain(made.fault, path);
    return 'on';
  }
  if ((await receive(context, { path, names: 'below' }, depth + 1)) === 'over') return 'over';
  if (times) {
    const set = await files.setAttributes(path, times);
    if (!set.ok) await peer.complain(set.fault, path);
  }
  return 'on';
}

async function enterDirectory(
  { files, admitsOperations }: ScpContext,
  path: VirtualPath,
  mode: number,
): Promise<Result<void>> {
  const there = await files.stat(path);
  if (there.ok) {
    return there.value.kind === 'directory' ? ok(undefined) : refuse('not-a-directory');
  }
  if (!admitsOperations()) return refuse('service-refusing');
  // What we cannot enter we could not fill.
  return files.makeDirectory(path, mode | 0o700);
}

async function receiveFile(
  context: ScpContext,
  path: VirtualPath,
  announced: Announced,
  times: Times | undefined,
): Promise<'on' | 'over'> {
  const { files, peer, admitsOperations } = context;
  const opened = admitsOperations()
    ? await files.openWrite(path, 'replace', announced.mode)
    : refuse('service-refusing');
  if (!opened.ok) {
    await peer.complain(opened.fault, path);
    return 'on';
  }
  const file = opened.value;
  await peer.acknowledge();
  const content = await receiveContent(context, file, announced.size);
  const report = (outcome: 'completed' | 'cut' | 'failed', fault?: Fault) =>
    context.onTransfer({
      direction: 'upload',
      path,
      bytes: content.bytes,
      outcome,
      ...(fault ? { reason: fault.code } : {}),
    });
  const answer = content.whole ? await peer.answer() : 'over';
  if (answer !== 'done') {
    // What the client itself says is wrong is not to be gone on with.
    await file.abandon(answer === 'refused' ? 'discard' : 'keep');
    report('cut', { code: 'transfer-cut' });
    return answer === 'refused' ? acknowledged(context) : 'over';
  }
  if (content.fault) await file.abandon();
  const stored: Stored = content.fault
    ? { fault: content.fault, attributes: undefined }
    : await finish(context, file, announced, times);
  const trouble = stored.fault ?? stored.attributes;
  if (trouble) await peer.complain(trouble, path);
  else await peer.acknowledge();
  report(stored.fault ? 'failed' : 'completed', stored.fault);
  return 'on';
}

async function acknowledged({ peer }: ScpContext): Promise<'on'> {
  await peer.acknowledge();
  return 'on';
}

/** Writes what comes; after a failure the rest is read and dropped, as the client sends all of it. */
async function receiveContent(
  { peer }: ScpContext,
  file: WriteHandle,
  size: number,
): Promise<{ bytes: number; whole: boolean; fault: Fault | undefined }> {
  let fault: Fault | undefined;
  let bytes = 0;
  while (bytes < size) {
    const at = bytes;
    const taken = await peer.inbox.take(Math.min(size - at, wireLimits.writeLength), async (chunk) => {
      const written = fault ? ok(undefined) : await file.write(chunk, at);
      if (!written.ok) fault = written.fault;
      return chunk.length;
    });
    if (taken === undefined) return { bytes, whole: false, fault };
    bytes += taken;
  }
  return { bytes, whole: true, fault };
}

/** Why a file is not there, and why it is there without the attributes that it should have. */
type Stored = { readonly fault: Fault | undefined; readonly attributes: Fault | undefined };

/** Gives the file its times and mode, where they are kept, and its name. */
async function finish(
  { command }: ScpContext,
  file: WriteHandle,
  announced: Announced,
  times: Times | undefined,
): Promise<Stored> {
  let attributes: Fault | undefined;
  if (command.preserve) {
    // One may be permitted without the other.
    for (const change of [{ mode: announced.mode }, ...(times ? [times] : [])]) {
      const set = await file.setAttributes(change);
      if (!set.ok) attributes ??= set.fault;
    }
  }
  const committed = await file.commit();
  return { fault: committed.ok ? undefined : committed.fault, attributes };
}
