import { commands } from './command.ts';
import { answer, type CommandHandler, type ControlState } from './control-state.ts';
import { type Fact, knownFacts } from './listing.ts';
import { reply } from './reply.ts';

const factsLine = (chosen: readonly Fact[]): string =>
  knownFacts.map((fact) => `${fact}${chosen.includes(fact) ? '*' : ''};`).join('');

/** RFC 2389 section 3; TLS is named as RFC 4217 section 6 says. */
export const feat: CommandHandler = (state) => {
  const tls = state.channel === 'encrypted' || state.rules.authTls === 'offered';
  const features = [
    ...(state.rules.authTls === 'offered' ? ['AUTH TLS'] : []),
    ...(tls ? ['PBSZ', 'PROT'] : []),
    'EPSV',
    'MDTM',
    `MLST ${factsLine(state.facts)}`,
    'PASV',
    'REST STREAM',
    'SIZE',
    'TVFS',
    'UTF8',
  ];
  return answer(state, reply(211, 'Features:', ...features, 'End'));
};

/** RFC 2389 section 4: MLST chooses facts (RFC 3659 section 7.9), UTF8 ON is how things are. */
export const opts: CommandHandler = (state, argument) => {
  const [name = '', ...values] = argument.trim().split(' ');
  switch (name.toUpperCase()) {
    case 'UTF8':
      return (values[0] ?? 'ON').toUpperCase() === 'ON'
        ? answer(state, reply(200, 'UTF8 is always on.'))
        : answer(state, reply(504, 'UTF8 cannot be switched off.'));
    case 'MLST': {
      const wanted = values.join(' ').toLowerCase().split(';');
      const facts = knownFacts.filter((fact) => wanted.includes(fact.toLowerCase()));
      const told = facts.map((fact) => `${fact};`).join('');
      return answer({ ...state, facts }, reply(200, `MLST OPTS ${told}`.trimEnd()));
    }
    default:
      return answer(state, reply(501, 'There is no such option.'));
  }
};

export const syst: CommandHandler = (state) => answer(state, reply(215, 'UNIX Type: L8'));

export const noop: CommandHandler = (state) => answer(state, reply(200, 'OK.'));

const verbsPerLine = 8;

export const help: CommandHandler = (state) => {
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

/** Without an argument: the state of the connection. A path is answered by LIST and MLST instead. */
export const stat: CommandHandler = (state, argument) =>
  argument.trim() === ''
    ? answer(
        state,
        reply(
          211,
          'Status:',
          `The control connection is ${state.channel === 'encrypted' ? 'encrypted' : 'not encrypted'}.`,
          protections[state.protection],
          `Type is ${state.type === 'ascii' ? 'ASCII' : 'image'}.`,
          'End.',
        ),
      )
    : answer(state, reply(504, 'Use LIST or MLST for a path.'));
