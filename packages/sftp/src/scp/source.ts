import { type Fault, FaultError, ok, type Result, refuse } from '@sallyport/faults';
import {
  childOf,
  type FileAttributes,
  nameOf,
  type ReadHandle,
  rootPath,
  type VirtualPath,
  virtualPath,
} from '@sallyport/files';
import { wireLimits } from '../protocol.ts';
import { isPattern, literalPath, matchesPart, partsOf, type Word } from './command.ts';
import { maxDepth, type ScpContext } from './context.ts';
import type { Answer } from './conversation.ts';

/** Most names that one pattern stands for. */
const maxMatches = 10_000;
/** What a client is told the home is called: a protocol of names has none for it. */
const nameOfHome = 'home';

/** Sends what the client asks for (`scp -f`). */
export async function source(context: ScpContext): Promise<void> {
  const { peer } = context;
  if ((await peer.answer()) !== 'done') return;
  for (const word of context.command.paths) {
    const paths = await pathsOf(context, word);
    if (!paths.ok) {
      await peer.complain(paths.fault, literalPath(word));
      continue;
    }
    for (const path of paths.value) {
      if ((await send(context, path, 0)) === 'over') return;
    }
  }
}

/** The paths that a word means; a pattern without a match means itself, as to a shell. */
async function pathsOf({ files }: ScpContext, word: Word): Promise<Result<VirtualPath[]>> {
  const literal = virtualPath(literalPath(word));
  if (!literal.ok || !isPattern(word)) return literal.ok ? ok([literal.value]) : literal;
  let found: VirtualPath[] = [rootPath];
  for (const part of partsOf(word)) {
    if (part.length === 0) continue;
    const next: VirtualPath[] = [];
    for (const directory of found) {
      if (!isPattern(part)) {
        const child = virtualPath(literalPath(part), directory);
        if (!child.ok) return child;
        if ((await files.stat(child.value)).ok) next.push(child.value);
        continue;
      }
      const names = await namesIn(files, directory);
      for (const name of names.filter((one) => matchesPart(part, one)).sort()) {
        const child = childOf(directory, name);
        if (child.ok) next.push(child.value);
      }
      if (next.length > maxMatches) return refuse('invalid-request', 'the pattern matches too much');
    }
    found = next;
  }
  return ok(found.length > 0 ? found : [literal.value]);
}

/** The names in a directory; none where it cannot be listed. */
async function namesIn(files: ScpContext['files'], directory: VirtualPath): Promise<string[]> {
  const listed = await files.list(directory);
  if (!listed.ok) return [];
  const names: string[] = [];
  try {
    for await (const batch of listed.value) names.push(...batch.map(({ name }) => name));
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
  }
  return names;
}

/** Sends a file or a directory. @returns whether the conversation goes on */
async function send(context: ScpContext, path: VirtualPath, depth: number): Promise<'on' | 'over'> {
  const { files, peer, command } = context;
  const complain = async (fault: Fault): Promise<'on'> => {
    await peer.complain(fault, path);
    return 'on';
  };
  if (!context.admitsOperations()) return complain({ code: 'service-refusing' });
  const found = await files.stat(path);
  if (!found.ok) return complain(found.fault);
  const name = nameOf(path) || nameOfHome;
  // Lines end the steps of this protocol.
  if (/[\n\r]/.test(name)) return complain({ code: 'path-invalid' });
  if (found.value.kind === 'directory') {
    if (!command.recursive) return complain({ code: 'is-a-directory' });
    if (depth >= maxDepth) return complain({ code: 'path-invalid' });
    return sendDirectory(context, path, name, found.value, depth);
  }
  const opened = await files.openRead(path);
  if (!opened.ok) return complain(opened.fault);
  try {
    const attributes = await opened.value.attributes();
    if (!attributes.ok) return await complain(attributes.fault);
    return await sendFile(context, path, name, opened.value, attributes.value);
  } finally {
    await opened.value.close();
  }
}

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

/** Sends times, where they are kept, and the line that announces what comes. */
async function announce(context: ScpContext, line: string, attributes: FileAttributes): Promise<Answer> {
  const { peer } = context;
  if (context.command.preserve) {
    const seconds = (milliseconds: number) => Math.max(0, Math.floor(milliseconds / 1_000));
    await peer.sendLine(`T${seconds(attributes.modifiedAt)} 0 ${seconds(attributes.accessedAt)} 0`);
    const answer = await peer.answer();
    if (answer !== 'done') return answer;
  }
  await peer.sendLine(line);
  return peer.answer();
}

const goesOn = (answer: Answer): 'on' | 'over' => (answer === 'over' ? 'over' : 'on');

async function sendDirectory(
  context: ScpContext,
  path: VirtualPath,
  name: string,
  attributes: FileAttributes,
  depth: number,
): Promise<'on' | 'over'> {
  const { files, peer } = context;
  const listed = await files.list(path);
  if (!listed.ok) {
    await peer.complain(listed.fault, path);
    return 'on';
  }
  const batches = listed.value[Symbol.asyncIterator]();
  try {
    const answer = await announce(context, `D${octal(attributes.mode)} 0 ${name}`, attributes);
    if (answer !== 'done') return goesOn(answer);
    for (;;) {
      const batch = await batches.next();
      if (batch.done) break;
      for (const entry of batch.value) {
        const child = childOf(path, entry.name);
        if (child.ok && (await send(context, child.value, depth + 1)) === 'over') return 'over';
      }
    }
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    await peer.complain(error.fault, path);
  } finally {
    await batches.return?.();
  }
  await peer.sendLine('E');
  return goesOn(await peer.answer());
}

async function sendFile(
  context: ScpContext,
  path: VirtualPath,
  name: string,
  file: ReadHandle,
  attributes: FileAttributes,
): Promise<'on' | 'over'> {
  const { peer } = context;
  const { size } = attributes;
  const answer = await announce(context, `C${octal(attributes.mode)} ${size} ${name}`, attributes);
  if (answer !== 'done') return goesOn(answer);
  const { bytes, fault } = await sendContent(context, file, size);
  if (fault) await peer.complain(fault, path);
  else await peer.acknowledge();
  const taken = await peer.answer();
  const outcome = fault ? 'failed' : taken === 'done' ? 'completed' : 'cut';
  const reason = fault?.code ?? (outcome === 'cut' ? 'transfer-cut' : undefined);
  context.onTransfer({ direction: 'download', path, bytes, outcome, ...(reason ? { reason } : {}) });
  return goesOn(taken);
}

/** Sends as many bytes as were announced, whatever becomes of the file: zeros stand for what cannot be read. */
async function sendContent(
  { buffers, peer }: ScpContext,
  file: ReadHandle,
  size: number,
): Promise<{ bytes: number; fault: Fault | undefined }> {
  let fault: Fault | undefined;
  const load = async (at: number): Promise<Uint8Array | undefined> => {
    const length = Math.min(size - at, wireLimits.readLength);
    if (length <= 0 || peer.isOver) return undefined;
    const buffer = buffers.take(length);
    const read = fault ? ok(0) : await file.read(buffer, at);
    if (!read.ok) fault = read.fault;
    const filled = read.ok ? read.value : 0;
    if (filled < length) {
      fault ??= { code: 'transfer-cut', detail: 'the file has become shorter' };
      buffer.fill(0, filled);
    }
    return buffer;
  };
  let bytes = 0;
  let next = load(0);
  for (let buffer = await next; buffer && !peer.isOver; buffer = await next) {
    // The next part is read while this one leaves.
    next = load(bytes + buffer.length);
    await peer.send(buffer);
    bytes += buffer.length;
    buffers.give(buffer);
  }
  const unused = await next;
  if (unused) buffers.give(unused);
  return { bytes, fault };
}
