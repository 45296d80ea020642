import { acct, afterLogin, afterSecured, auth, pass, pbsz, prot, quit, user } from './access-commands.ts';
import { commands, parseCommand, type Verb } from './command.ts';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type ControlState,
  type Step,
} from './control-state.ts';
import {
  afterOperation,
  cdup,
  cwd,
  dele,
  mdtm,
  mkd,
  mlst,
  pwd,
  rmd,
  rnfr,
  rnto,
  size,
} from './file-commands.ts';
import { feat, help, noop, opts, stat, syst } from './information-commands.ts';
import { passiveReply } from './passive.ts';
import { type Reply, reply } from './reply.ts';
import {
  abor,
  allo,
  epsv,
  list,
  mlsd,
  mode,
  nlst,
  pasv,
  rest,
  retr,
  stor,
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
  REST: rest,
  RETR: retr,
  STOR: stor,
  LIST: list,
  NLST: nlst,
  MLSD: mlsd,
  MLST: mlst,
  ABOR: abor,
  STAT: stat,
  SIZE: size,
  MDTM: mdtm,
  PWD: pwd,
  CWD: cwd,
  CDUP: cdup,
  MKD: mkd,
  RMD: rmd,
  DELE: dele,
  RNFR: rnfr,
  RNTO: rnto,
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
      return answer(state, unreadable[event.why]);
    case 'login':
      return afterLogin(state, event);
    case 'secured':
      return { state: afterSecured(state), effects: [{ kind: 'close-data' }] };
    case 'listening':
      return answer({ ...state, data: 'passive' }, passiveReply(event.endpoint));
    case 'not-listening':
      return answer(
        state,
        event.why === 'no-port'
          ? reply(425, 'No data port is free; try again.')
          : reply(522, 'Network protocol not supported; use EPSV for the one of this connection.'),
      );
    case 'operated':
      return afterOperation(state, event);
  }
}

function command(state: ControlState, line: string): Step {
  const parsed = parseCommand(line);
  switch (parsed.kind) {
    case 'unknown':
      return answer(state, reply(500, 'Unknown command.'));
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
