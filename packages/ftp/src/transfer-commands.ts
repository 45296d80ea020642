import { virtualPath } from '@sallyport/files';
import {
  answer,
  type CommandHandler,
  type ControlState,
  type Placing,
  type Step,
  type Transfer,
} from './control-state.ts';
import type { ListingFormat } from './listing.ts';
import { faultReply, type Reply, reply } from './reply.ts';

/** What a transfer needs before its path is looked at; nothing where all is there. */
function obstacle(state: ControlState): Reply | undefined {
  if (state.channel === 'encrypted' && state.protection === 'clear') {
    return reply(521, 'The data connection must be encrypted; send PBSZ 0 and PROT P first.');
  }
  return state.data === 'none' ? reply(425, 'Send EPSV, PASV, EPRT or PORT first.') : undefined;
}

type TransferKind =
  | { readonly kind: 'retrieve'; readonly offset: number }
  | { readonly kind: 'store'; readonly placing: Placing }
  | {
      readonly kind: 'list';
      readonly format: ListingFormat;
      readonly facts: ControlState['facts'];
      readonly encoding: ControlState['encoding'];
    };

function transfer(state: ControlState, argument: string, what: TransferKind): Step {
  // One REST counts for one transfer, and one port for one transfer, whether or not it comes about.
  const spent: ControlState = { ...state, restart: 0 };
  const refusal = obstacle(state);
  if (refusal) return answer(spent, refusal);
  const path = virtualPath(argument, state.directory);
  if (!path.ok) return answer(spent, faultReply(path.fault.code));
  const asked: Transfer = { ...what, path: path.value, type: state.type, protection: state.protection };
  return { state: { ...spent, data: 'none' }, effects: [{ kind: 'transfer', transfer: asked }] };
}

/** In ASCII an offset is of lines on the wire, which no file remembers. */
const restartNeedsImage = reply(504, 'REST needs TYPE I.');

export const retr: CommandHandler = (state, argument) =>
  state.restart > 0 && state.type === 'ascii'
    ? answer({ ...state, restart: 0 }, restartNeedsImage)
    : transfer(state, argument, { kind: 'retrieve', offset: state.restart });

/** RFC 3659 section 5.5: after REST an upload goes on at an offset. */
export const stor: CommandHandler = (state, argument) => {
  if (state.restart === 0) return transfer(state, argument, { kind: 'store', placing: { kind: 'replace' } });
  if (state.type === 'ascii') return answer({ ...state, restart: 0 }, restartNeedsImage);
  return transfer(state, argument, { kind: 'store', placing: { kind: 'restart', offset: state.restart } });
};

export const appe: CommandHandler = (state, argument) =>
  state.restart > 0
    ? answer({ ...state, restart: 0 }, reply(503, 'APPE goes to the end; REST goes with STOR.'))
    : transfer(state, argument, { kind: 'store', placing: { kind: 'append' } });

/** RFC 1123 section 4.1.2.9; a name that is given becomes the beginning of the unique one. */
export const stou: CommandHandler = (state, argument) =>
  state.restart > 0
    ? answer({ ...state, restart: 0 }, reply(503, 'A new file has no offset to go on at.'))
    : transfer(state, argument === '' ? 'upload' : argument, { kind: 'store', placing: { kind: 'unique' } });

/** Options as of `ls` that some clients send before the path say nothing here. */
export const withoutOptions = (argument: string): string =>
  argument.replace(/^(?:-[A-Za-z0-9]+(?: +|$))+/, '');

const lister =
  (format: ListingFormat): CommandHandler =>
  (state, argument) =>
    transfer(state, format === 'MLSD' ? argument : withoutOptions(argument), {
      kind: 'list',
      format,
      facts: state.facts,
      encoding: state.encoding,
    });

export const list = lister('LIST');
export const nlst = lister('NLST');
export const mlsd = lister('MLSD');

/** RFC 3659 section 5.3. */
export const rest: CommandHandler = (state, argument) => {
  const offset = /^\d{1,15}$/.test(argument.trim()) ? Number(argument) : undefined;
  if (offset === undefined) return answer(state, reply(501, 'REST takes a byte offset.'));
  if (offset > 0 && state.type === 'ascii') return answer({ ...state, restart: 0 }, restartNeedsImage);
  return answer({ ...state, restart: offset }, reply(350, `Restarting at ${offset}.`));
};

export const type: CommandHandler = (state, argument) => {
  switch (argument.trim().toUpperCase()) {
    case 'I':
    case 'L 8':
      return answer({ ...state, type: 'image' }, reply(200, 'Type is image.'));
    case 'A':
    case 'A N':
      return answer({ ...state, type: 'ascii' }, reply(200, 'Type is ASCII.'));
    default:
      return answer(state, reply(504, 'Only TYPE A and TYPE I are supported.'));
  }
};

export const mode: CommandHandler = (state, argument) =>
  answer(
    state,
    argument.trim().toUpperCase() === 'S'
      ? reply(200, 'Mode is stream.')
      : reply(504, 'Only MODE S is supported.'),
  );

export const stru: CommandHandler = (state, argument) =>
  answer(
    state,
    argument.trim().toUpperCase() === 'F'
      ? reply(200, 'Structure is file.')
      : reply(504, 'Only STRU F is supported.'),
  );

/** Space is not reserved ahead (RFC 959 section 4.1.3: then a NOOP). */
export const allo: CommandHandler = (state) => answer(state, reply(202, 'ALLO is not needed here.'));

/** A running transfer was broken off by the driver when the command came in; here it is answered. */
export const abor: CommandHandler = (state) => ({
  state: { ...state, data: 'none', restart: 0 },
  effects: [{ kind: 'close-data' }, { kind: 'reply', reply: reply(226, 'No transfer is running.') }],
});
