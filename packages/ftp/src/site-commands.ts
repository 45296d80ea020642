import { answer, type CommandHandler, type ControlState, type Step } from './control-state.ts';
import { onPath } from './file-commands.ts';
import { reply } from './reply.ts';
import { parseTimeValue } from './time-value.ts';

export const siteHelp = (state: ControlState): Step =>
  answer(
    state,
    reply(
      214,
      'SITE commands:',
      'CHMOD mode path',
      'HELP',
      'UTIME time path',
      'UTIME path time time time UTC',
      'End.',
    ),
  );

/** `CHMOD 640 path`: permission bits alone. */
const chmod: CommandHandler = (state, argument) => {
  const [, mode, name] = /^([0-7]{3,4}) (.+)$/s.exec(argument) ?? [];
  if (mode === undefined || name === undefined) {
    return answer(state, reply(501, 'SITE CHMOD takes a mode in octal and a path.'));
  }
  const bits = Number.parseInt(mode, 8);
  // Bits beyond these would make a program that runs as somebody else.
  if (bits > 0o777) return answer(state, reply(504, 'Only permission bits can be changed.'));
  return onPath((path) => ({ kind: 'set-mode', path, mode: bits }))(state, name);
};

/** `UTIME time path`, and the older `UTIME path accessed modified created UTC`, of which the second time counts. */
const utime: CommandHandler = (state, argument) => {
  const old = /^(.+) \d{12,14} (\d{12,14}) \d{12,14} UTC$/is.exec(argument);
  const [, time = '', name = ''] = old
    ? [old[0], old[2], old[1]]
    : (/^(\d{12,14}(?:\.\d+)?) (.+)$/s.exec(argument) ?? []);
  const modifiedAt = parseTimeValue(time);
  if (modifiedAt === undefined) return answer(state, reply(501, 'SITE UTIME takes a time and a path.'));
  return onPath((path) => ({ kind: 'set-modified', path, modifiedAt }))(state, name);
};

/** Commands of this server (RFC 959 section 4.1.3), as the common clients know them. */
export const site: CommandHandler = (state, argument) => {
  const space = argument.indexOf(' ');
  const word = (space < 0 ? argument : argument.slice(0, space)).toUpperCase();
  const rest = space < 0 ? '' : argument.slice(space + 1);
  switch (word) {
    case 'CHMOD':
      return chmod(state, rest);
    case 'UTIME':
      return utime(state, rest);
    case 'HELP':
      return siteHelp(state);
    default:
      return answer(state, reply(504, 'There is no such SITE command.'));
  }
};
