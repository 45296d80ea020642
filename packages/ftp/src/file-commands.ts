import type { FaultCode } from '@sallyport/faults';
import { type FileSystem, parentOf, type VirtualPath, virtualPath } from '@sallyport/files';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type FileCommand,
  type OperationResult,
  type Step,
} from './control-state.ts';
import { factLine, timeValue } from './listing.ts';
import { faultReply, quoted, reply } from './reply.ts';

/** A command whose argument is one path. */
const onPath =
  (build: (path: VirtualPath) => FileCommand): CommandHandler =>
  (state, argument) => {
    const path = virtualPath(argument, state.directory);
    return path.ok
      ? { state, effects: [{ kind: 'operate', command: build(path.value) }] }
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
export const mlst: CommandHandler = onPath((path) => ({ kind: 'facts', path }));
export const rnfr: CommandHandler = onPath((path) => ({ kind: 'rename-from', path }));

/** In ASCII the size on the wire is not the size of the file (RFC 3659 section 4). */
export const size: CommandHandler = (state, argument) =>
  state.type === 'ascii'
    ? answer(state, reply(550, 'SIZE needs TYPE I.'))
    : onPath((path) => ({ kind: 'size', path }))(state, argument);

export const rnto: CommandHandler = (state, argument) => {
  const from = state.renameFrom;
  if (from === undefined) return answer(state, reply(503, 'Send RNFR first.'));
  const spent = { ...state, renameFrom: undefined };
  return onPath((to) => ({ kind: 'rename', from, to }))(spent, argument);
};

/**
 * Runs a file command.
 *
 * @returns attributes where the command reads them; the refusals of the file system, `not-a-directory` for CWD to
 *   something else
 */
export async function operate(files: FileSystem, command: FileCommand): Promise<OperationResult> {
  switch (command.kind) {
    case 'enter': {
      const found = await files.stat(command.path);
      if (found.ok && found.value.kind !== 'directory') {
        return { ok: false, fault: { code: 'not-a-directory' } };
      }
      return found;
    }
    case 'size':
    case 'modified':
    case 'facts':
      return files.stat(command.path);
    case 'rename-from':
      return files.lstat(command.path);
    case 'make-directory':
      return files.makeDirectory(command.path);
    case 'remove-directory':
      return files.removeDirectory(command.path);
    case 'remove-file':
      return files.removeFile(command.path);
    case 'rename':
      return files.rename(command.from, command.to, 'replace');
  }
}

const notAFile: FaultCode = 'is-a-directory';

/** Answers a file command by its result. */
export function afterOperation(
  state: Parameters<CommandHandler>[0],
  { command, result }: ControlEvent & { kind: 'operated' },
): Step {
  if (!result.ok) return answer(state, faultReply(result.fault.code));
  const attributes = result.value;
  switch (command.kind) {
    case 'enter':
      return answer(
        { ...state, directory: command.path },
        reply(250, `Directory is now ${quoted(command.path)}.`),
      );
    case 'size':
      return attributes && attributes.kind === 'file'
        ? answer(state, reply(213, String(attributes.size)))
        : answer(state, faultReply(notAFile));
    case 'modified':
      return attributes && attributes.kind === 'file'
        ? answer(state, reply(213, timeValue(attributes.modifiedAt)))
        : answer(state, faultReply(notAFile));
    case 'facts': {
      if (!attributes) return answer(state, faultReply('internal'));
      const line = factLine({ name: command.path, attributes }, state.facts);
      return answer(state, reply(250, 'Facts follow.', line, 'End.'));
    }
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
