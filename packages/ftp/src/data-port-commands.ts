import { type ActiveTarget, parseEprt, parsePort } from './active.ts';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type ControlState,
  type Step,
} from './control-state.ts';
import { passiveReply } from './passive.ts';
import { type Reply, reply } from './reply.ts';

const epsvAlone = reply(503, 'Only EPSV is taken after EPSV ALL.');

export const pasv: CommandHandler = (state) =>
  state.epsvOnly
    ? answer(state, epsvAlone)
    : { state: { ...state, data: 'none' }, effects: [{ kind: 'listen', form: 'PASV', family: 4 }] };

/** RFC 2428 section 3: alone, with a network protocol (1 is IPv4, 2 is IPv6), or ALL. */
export const epsv: CommandHandler = (state, argument) => {
  const wanted = argument.trim().toUpperCase();
  if (wanted === 'ALL') return answer({ ...state, epsvOnly: true }, reply(200, 'Only EPSV from now on.'));
  const family = { '': 'any', '1': 4, '2': 6 }[wanted] as 'any' | 4 | 6 | undefined;
  if (family === undefined) return answer(state, unknownFamily);
  return { state: { ...state, data: 'none' }, effects: [{ kind: 'listen', form: 'EPSV', family }] };
};

const unknownFamily = reply(522, 'Network protocol not supported, use (1,2)');

const noTarget: Readonly<Record<Exclude<ActiveTarget['kind'], 'target'>, Reply>> = {
  malformed: reply(501, 'This is no address and port.'),
  'unknown-family': unknownFamily,
  'privileged-port': reply(501, 'Data connections go to ports from 1024 on.'),
};

/** A target is compared with the peer of the control connection before anything is believed of it (RFC 2577 section 3). */
const active =
  (parse: (argument: string) => ActiveTarget): CommandHandler =>
  (state, argument) => {
    if (state.epsvOnly) return answer(state, epsvAlone);
    const target = parse(argument);
    if (target.kind !== 'target') return answer(state, noTarget[target.kind]);
    const { family, address, port } = target;
    return { state: { ...state, data: 'none' }, effects: [{ kind: 'aim', family, address, port }] };
  };

export const port = active(parsePort);
export const eprt = active(parseEprt);

type DataPortEvent = ControlEvent & {
  kind: 'listening' | 'not-listening' | 'aimed' | 'not-aimed' | 'wrong-family';
};

/** Answers PASV, EPSV, PORT and EPRT by what came of them. */
export function afterDataPort(state: ControlState, event: DataPortEvent): Step {
  switch (event.kind) {
    case 'listening':
      return answer({ ...state, data: 'passive' }, passiveReply(event.endpoint));
    case 'not-listening':
      return answer(state, reply(425, 'No data port is free; try again.'));
    case 'aimed':
      return answer({ ...state, data: 'active' }, reply(200, 'The data connection will go there.'));
    case 'not-aimed':
      return answer(state, reply(501, 'Data connections go to your own address alone.'));
    case 'wrong-family':
      return answer(state, reply(522, `Network protocol not supported, use (${event.ours})`));
  }
}
