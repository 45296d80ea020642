import { virtualPath } from '@sallyport/files';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type ControlState,
  type Step,
} from './control-state.ts';
import { type HashRequest, hashAlgorithms } from './hash.ts';
import { faultReply, reply } from './reply.ts';

const ask = (state: ControlState, name: string, request: Omit<HashRequest, 'path'>): Step => {
  const path = virtualPath(name, state.directory);
  return path.ok
    ? { state, effects: [{ kind: 'hash', request: { ...request, path: path.value } }] }
    : answer(state, faultReply(path.fault.code));
};

/** draft-bryan-ftpext-hash-02 section 3. */
export const hash: CommandHandler = (state, argument) =>
  ask(state, argument, { asked: 'HASH', algorithm: state.hash, from: 0 });

/** A name, in quotes where a first and a last byte follow it, as the clients that know this command write it. */
export const xsha256: CommandHandler = (state, argument) => {
  const quoted = /^"([^"]+)"(?: (\d{1,15}))?(?: (\d{1,15}))?$/.exec(argument.trim());
  const [, name = argument, from = '0', to] = quoted ?? [];
  return ask(state, name, {
    asked: 'XSHA256',
    algorithm: 'SHA-256',
    from: Number(from),
    ...(to === undefined ? {} : { to: Number(to) }),
  });
};

export function afterHash(state: ControlState, { request, result }: ControlEvent & { kind: 'hashed' }): Step {
  if (!result.ok) return answer(state, faultReply(result.fault.code));
  const { hex, to } = result.value;
  if (request.asked === 'XSHA256') return answer(state, reply(250, hex.toUpperCase()));
  const { algorithm, from, path } = request;
  return answer(state, reply(213, `${algorithm} ${from}-${to} ${hex} ${path}`));
}

/** OPTS HASH: tells the digest in use, or chooses one. */
export function chooseHash(state: ControlState, wanted: string | undefined): Step {
  if (wanted === undefined) return answer(state, reply(200, state.hash));
  const chosen = hashAlgorithms.find((algorithm) => algorithm === wanted.toUpperCase());
  return chosen
    ? answer({ ...state, hash: chosen }, reply(200, chosen))
    : answer(state, reply(504, 'There is no such digest.'));
}
