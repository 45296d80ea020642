import { type FaultCode, ok, type Result, refuse } from '@sallyport/faults';
import {
  type FileAttributes,
  type FileSystem,
  parentOf,
  type VirtualPath,
  virtualPath,
} from '@sallyport/files';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type ControlState,
  type FileCommand,
  type OperationResult,
  type Step,
} from './control-state.ts';
import { factLine } from './facts.ts';
import { listing } from './listing.ts';
import { faultReply, quoted, reply } from './reply.ts';
import { parseTimeValue, timeValue } from './time-value.ts';

/** A command whose argument is one path. */
export const onPath =
  (build: (path: VirtualPath, state: ControlState) => FileCommand): CommandHandler =>
  (state, argument) => {
    const path = virtualPath(argument, state.directory);
    return path.ok
      ? { state, effects: [{ kind: 'operate', command: build(path.value, state) }] }
      : answer(state, faultReply(path.fault.code));
  };

export const pwd: CommandHandler = (state) =>
  answer(state, reply(257, `${quoted(state.directory)} is the current directory.`));
export const cwd: CommandHandler = onPath((path) => ({ kind: 'enter', path }));
export const cdup: CommandHandler = (state) => ({
  state,
  effects: [{ kind: 'operate', command: { kind: 'enter', path: parentOf(state.directory) } }],
});
export const mkd: CommandHandler = onPath((path) => ({ kind: 'make-directory', path }));
export const rmd: CommandHandler = onPath((path) => ({ kind: 'remove-directory', path }));
export const dele: CommandHandler = onPath((path) => ({ kind: 'remove-file', path }));
export const mdtm: CommandHandler = onPath((path) => ({ kind: 'modified', path }));
export const mlst: CommandHandler = onPath((path, { facts }) => ({ kind: 'facts', path, facts }));
/** draft-peterson-streamlined-ftp-command-extensions-10 section 4. */
export const avbl: CommandHandler = onPath((path) => ({ kind: 'space', path }));
export const rnfr: CommandHandler = onPath((path) => ({ kind: 'rename-from', path }));

/** In ASCII the size on the wire is not the size of the file (RFC 3659 section 4). */
export const size: CommandHandler = (state, argument) =>
  state.type === 'ascii'
    ? answer(state, reply(550, 'SIZE needs TYPE I.'))
    : onPath((path) => ({ kind: 'size', path }))(state, argument);

/** draft-somers-ftp-mfxx-04 section 3: a time in UTC and, after one space, a path. */
export const mfmt: CommandHandler = (state, argument) => {
  const space = argument.indexOf(' ');
  const modifiedAt = space < 0 ? undefined : parseTimeValue(argument.slice(0, space));
  if (modifiedAt === undefined) return answer(state, reply(501, 'MFMT takes a time and a path.'));
  return onPath((path) => ({ kind: 'set-modified', path, modifiedAt }))(state, argument.slice(space + 1));
};

export const rnto: CommandHandler = (state, argument) => {
  const from = state.renameFrom;
  if (from === undefined) return answer(state, reply(503, 'Send RNFR first.'));
  const spent = { ...state, renameFrom: undefined };
  return onPath((to) => ({ kind: 'rename', from, to }))(spent, argument);
};

/** Most entries that a reply lists: it is held in memory, and MLSD has no bound. */
const maxStatusLines = 1_000;

/** A listing short enough for a reply, or its beginning. */
async function statusLines(files: FileSystem, path: VirtualPath, now: number): Promise<Result<string[]>> {
  const listed = await listing(files, { format: 'LIST', path, facts: [] }, now);
  if (!listed.ok) return listed;
  const lines: string[] = [];
  for await (const portion of listed.value) {
    lines.push(...portion.split('\r\n').filter((line) => line !== ''));
    if (lines.length > maxStatusLines) return ok([...lines.slice(0, maxStatusLines), '(more: use MLSD)']);
  }
  return ok(lines);
}

const mapped = <T, U>(result: Result<T>, map: (value: T) => U): Result<U> =>
  result.ok ? ok(map(result.value)) : result;

/**
 * Runs a file command.
 *
 * @param now milliseconds since the epoch
 * @returns attributes, lines or a number where the command reads them; the refusals of the file system,
 *   `not-a-directory` for CWD to something else
 */
export async function operate(
  files: FileSystem,
  command: FileCommand,
  now: number,
): Promise<OperationResult> {
  const { path } = command.kind === 'rename' ? { path: command.from } : command;
  switch (command.kind) {
    case 'enter': {
      const found = await files.stat(path);
      if (found.ok && found.value.kind !== 'directory') return refuse('not-a-directory');
      return found;
    }
    case 'size':
    case 'modified':
      return files.stat(path);
    case 'facts':
      return mapped(await files.stat(path), (attributes) => [
        factLine({ name: path, attributes }, command.facts, files.permits(path)),
      ]);
    case 'status':
      return statusLines(files, path, now);
    case 'space':
      return mapped(await files.space(path), ({ availableBlocks, blockSize }) => availableBlocks * blockSize);
    case 'set-mode':
      return files.setAttributes(path, { mode: command.mode });
    case 'set-modified':
      return files.setAttributes(path, { modifiedAt: command.modifiedAt });
    case 'rename-from':
      return files.lstat(path);
    case 'make-directory':
      return files.makeDirectory(path);
    case 'remove-directory':
      return files.removeDirectory(path);
    case 'remove-file':
      return files.removeFile(path);
    case 'rename':
      return files.rename(command.from, command.to, 'replace');
  }
}

/** What the command has read; `operate` answers each kind of command with its own kind of value. */
const attributesIn = (value: unknown): FileAttributes => value as FileAttributes;
const linesIn = (value: unknown): readonly string[] => value as readonly string[];

const notAFile: FaultCode = 'is-a-directory';

/** Answers a file command by its result. */
export function afterOperation(
  state: ControlState,
  { command, result }: ControlEvent & { kind: 'operated' },
): Step {
  if (!result.ok) return answer(state, faultReply(result.fault.code));
  const { value } = result;
  switch (command.kind) {
    case 'enter':
      return answer(
        { ...state, directory: command.path },
        reply(250, `Directory is now ${quoted(command.path)}.`),
      );
    case 'size':
    case 'modified': {
      const { kind, size: bytes, modifiedAt } = attributesIn(value);
      if (kind !== 'file') return answer(state, faultReply(notAFile));
      return answer(state, reply(213, command.kind === 'size' ? String(bytes) : timeValue(modifiedAt)));
    }
    case 'facts':
      return answer(state, reply(250, 'Facts follow.', ...linesIn(value), 'End.'));
    case 'status':
      return answer(state, reply(213, 'Status follows.', ...linesIn(value), 'End.'));
    case 'space':
      return answer(state, reply(213, String(value)));
    case 'set-mode':
      return answer(state, reply(200, 'Permissions are changed.'));
    case 'set-modified':
      return answer(state, reply(213, `Modify=${timeValue(command.modifiedAt)}; ${command.path}`));
    case 'make-directory':
      return answer(state, reply(257, `${quoted(command.path)} created.`));
    case 'remove-directory':
      return answer(state, reply(250, 'Directory removed.'));
    case 'remove-file':
      return answer(state, reply(250, 'File removed.'));
    case 'rename-from':
      return answer({ ...state, renameFrom: command.path }, reply(350, 'Send RNTO with the new name.'));
    case 'rename':
      return answer(state, reply(250, 'Renamed.'));
  }
}
