import { commands } from './command.ts';
import { answer, type CommandHandler, type ControlState, type Step } from './control-state.ts';
import { type Fact, knownFacts } from './facts.ts';
import { onPath } from './file-commands.ts';
import { hashAlgorithms } from './hash.ts';
import { chooseHash } from './hash-commands.ts';
import { reply } from './reply.ts';
import { siteHelp } from './site-commands.ts';
import { withoutOptions } from './transfer-commands.ts';

const factsLine = (chosen: readonly Fact[]): string =>
  knownFacts.map((fact) => `${fact}${chosen.includes(fact) ? '*' : ''};`).join('');

/** RFC 2389 section 3; TLS is named as RFC 4217 section 6 says. */
export const feat: CommandHandler = (state) => {
  const tls = state.channel === 'encrypted' || state.rules.authTls === 'offered';
  const features = [
    ...(state.rules.authTls === 'offered' ? ['AUTH TLS'] : []),
    ...(tls ? ['PBSZ', 'PROT'] : []),
    'AVBL',
    'CLNT',
    'EPRT',
    'EPSV',
    `HASH ${hashAlgorithms.map((name) => (name === state.hash ? `${name}*` : name)).join(';')}`,
    'HOST',
    'MDTM',
    'MFMT',
    `MLST ${factsLine(state.facts)}`,
    'PASV',
    'REST STREAM',
    'SITE CHMOD',
    'SITE UTIME',
    'SIZE',
    'TVFS',
    'UTF8',
    'XSHA256',
  ];
  return answer(state, reply(211, 'Features:', ...features, 'End'));
};

/** RFC 2389 section 4: MLST chooses facts (RFC 3659 section 7.9), UTF8 ON is how things are. */
export const opts: CommandHandler = (state, argument) => {
  const [name = '', ...values] = argument.trim().split(' ');
  switch (name.toUpperCase()) {
    case 'UTF8':
      return chooseUtf8(state, (values[0] ?? 'ON').toUpperCase());
    case 'MLST': {
      const wanted = values.join(' ').toLowerCase().split(';');
      const facts = knownFacts.filter((fact) => wanted.includes(fact.toLowerCase()));
      const told = facts.map((fact) => `${fact};`).join('');
      return answer({ ...state, facts }, reply(200, `MLST OPTS ${told}`.trimEnd()));
    }
    case 'HASH':
      return chooseHash(state, values[0]);
    default:
      return answer(state, reply(501, 'There is no such option.'));
  }
};

/** What the names are in from now on: UTF-8, or what the server has for clients that do not ask. */
function chooseUtf8(state: ControlState, wanted: string): Step {
  if (wanted === 'ON') return answer({ ...state, encoding: 'utf-8' }, reply(200, 'UTF8 is on.'));
  if (wanted !== 'OFF') return answer(state, reply(501, 'UTF8 is ON or OFF.'));
  return state.rules.nameEncoding === 'utf-8'
    ? answer(state, reply(504, 'UTF8 cannot be switched off.'))
    : answer({ ...state, encoding: state.rules.nameEncoding }, reply(200, 'UTF8 is off.'));
}

export const syst: CommandHandler = (state) => answer(state, reply(215, 'UNIX Type: L8'));

export const noop: CommandHandler = (state) => answer(state, reply(200, 'OK.'));

/** A client says who it is; nothing depends on it. */
export const clnt: CommandHandler = (state) => answer(state, reply(200, 'Noted.'));

const verbsPerLine = 8;

export const help: CommandHandler = (state, argument) => {
  if (argument.trim().toUpperCase() === 'SITE') return siteHelp(state);
  const verbs = Object.keys(commands);
  const lines: string[] = [];
  for (let at = 0; at < verbs.length; at += verbsPerLine) {
    lines.push(verbs.slice(at, at + verbsPerLine).join(' '));
  }
  return answer(state, reply(214, 'Commands:', ...lines, 'End.'));
};

const protections: Readonly<Record<ControlState['protection'], string>> = {
  clear: 'Data connections are not encrypted.',
  private: 'Data connections are encrypted.',
};

const statusOfPath = onPath((path) => ({ kind: 'status', path }));

/**
 * Without an argument: the state of the connection; with a path, its listing (RFC 959 section 4.1.3). During a
 * transfer the driver answers it out of turn.
 */
export const stat: CommandHandler = (state, argument) => {
  if (argument.trim() !== '') return statusOfPath(state, withoutOptions(argument));
  return answer(
    state,
    reply(
      211,
      'Status:',
      `The control connection is ${state.channel === 'encrypted' ? 'encrypted' : 'not encrypted'}.`,
      protections[state.protection],
      `Type is ${state.type === 'ascii' ? 'ASCII' : 'image'}.`,
      'End.',
    ),
  );
};
