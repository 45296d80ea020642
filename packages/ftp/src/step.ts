import {
  acct,
  afterLogin,
  afterSecured,
  auth,
  ccc,
  host,
  pass,
  pbsz,
  prot,
  quit,
  rein,
  user,
} from './access-commands.ts';
import { commands, parseCommand, type Verb } from './command.ts';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type ControlState,
  type Step,
} from './control-state.ts';
import { afterDataPort, eprt, epsv, pasv, port } from './data-port-commands.ts';
import {
  afterOperation,
  avbl,
  cdup,
  cwd,
  dele,
  mdtm,
  mfmt,
  mkd,
  mlst,
  pwd,
  rmd,
  rnfr,
  rnto,
  size,
} from './file-commands.ts';
import { afterHash, hash, xsha256 } from './hash-commands.ts';
import { clnt, feat, help, noop, opts, stat, syst } from './information-commands.ts';
import { type Reply, reply } from './reply.ts';
import { site } from './site-commands.ts';
import {
  abor,
  allo,
  appe,
  list,
  mlsd,
  mode,
  nlst,
  rest,
  retr,
  stor,
  stou,
  stru,
  type,
} from './transfer-commands.ts';

const handlers: Readonly<Record<Verb, CommandHandler>> = {
  USER: user,
  PASS: pass,
  ACCT: acct,
  AUTH: auth,
  PBSZ: pbsz,
  PROT: prot,
  CCC: ccc,
  HOST: host,
  REIN: rein,
  CLNT: clnt,
  FEAT: feat,
  OPTS: opts,
  SYST: syst,
  NOOP: noop,
  HELP: help,
  QUIT: quit,
  TYPE: type,
  MODE: mode,
  STRU: stru,
  ALLO: allo,
  PASV: pasv,
  EPSV: epsv,
  PORT: port,
  EPRT: eprt,
  REST: rest,
  RETR: retr,
  STOR: stor,
  APPE: appe,
  STOU: stou,
  LIST: list,
  NLST: nlst,
  MLSD: mlsd,
  MLST: mlst,
  ABOR: abor,
  STAT: stat,
  SIZE: size,
  MDTM: mdtm,
  MFMT: mfmt,
  HASH: hash,
  XSHA256: xsha256,
  AVBL: avbl,
  PWD: pwd,
  CWD: cwd,
  CDUP: cdup,
  MKD: mkd,
  RMD: rmd,
  DELE: dele,
  RNFR: rnfr,
  RNTO: rnto,
  SITE: site,
};

const unreadable: Readonly<Record<'too-long' | 'malformed', Reply>> = {
  'too-long': reply(500, 'The command line is too long.'),
  malformed: reply(501, 'The command line is not UTF-8.'),
};

/**
 * One step of a control connection: pure, the same state and event give the same step.
 * Lines are only handed in while no effect with an answering event is open.
 */
export function step(state: ControlState, event: ControlEvent): Step {
  switch (event.kind) {
    case 'line':
      return command(state, event.text);
    case 'bad-line':
      return stray(state, unreadable[event.why]);
    case 'login':
      return afterLogin(state, event);
    case 'secured':
      return { state: afterSecured(state, event.serverName), effects: [{ kind: 'close-data' }] };
    case 'listening':
    case 'not-listening':
    case 'aimed':
    case 'not-aimed':
    case 'wrong-family':
      return afterDataPort(state, event);
    case 'hashed':
      return afterHash(state, event);
    case 'operated':
      return afterOperation(state, event);
  }
}

/** Whoever talks another protocol before any login is not listened to for long: a browser may be made to (ALPACA). */
const maxStrayLines = 10;

function stray(state: ControlState, given: Reply): Step {
  if (state.login.kind === 'admitted') return answer(state, given);
  const strayLines = state.strayLines + 1;
  if (strayLines < maxStrayLines) return answer({ ...state, strayLines }, given);
  return {
    state: { ...state, strayLines },
    effects: [{ kind: 'reply', reply: reply(421, 'This is FTP.') }, { kind: 'close' }],
  };
}

function command(state: ControlState, line: string): Step {
  const parsed = parseCommand(line);
  switch (parsed.kind) {
    case 'unknown':
      return stray(state, reply(500, 'Unknown command.'));
    case 'unserved':
      return answer(state, reply(502, 'This command is not supported.'));
    case 'syntax':
      return answer(state, reply(501, `${parsed.verb} takes other arguments.`));
    case 'command': {
      const { verb, argument } = parsed;
      if (commands[verb].needs === 'login' && state.login.kind !== 'admitted') {
        return answer(state, reply(530, 'Log in with USER and PASS first.'));
      }
      // A rename is two commands in a row (RFC 959 section 4.1.3).
      const steady = verb === 'RNTO' ? state : { ...state, renameFrom: undefined };
      return handlers[verb](steady, argument);
    }
  }
}
