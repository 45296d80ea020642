import { faults } from '@sallyport/faults';
import { rootPath } from '@sallyport/files';
import {
  answer,
  type CommandHandler,
  type ControlEvent,
  type ControlState,
  initialState,
  type Step,
} from './control-state.ts';
import { faultReply, reply } from './reply.ts';

const askPassword = reply(331, 'Password required.');
const askSecondFactor = reply(332, 'Send the code of your second factor with ACCT.');

/** With a certificate every name is a try to log in, and one that is refused is a line in the log. */
const maxNames = 20;

export const user: CommandHandler = (before, argument) => {
  if (before.login.kind === 'admitted') return answer(before, reply(530, 'Already logged in.'));
  const state: ControlState = { ...before, names: before.names + 1 };
  if (state.names > maxNames) {
    return { state, effects: [{ kind: 'reply', reply: reply(421, 'Too many names.') }, { kind: 'close' }] };
  }
  const anonymous: ControlState = { ...state, login: { kind: 'none' } };
  if (state.channel === 'clear' && state.rules.clearLogin === 'refused') {
    return answer(anonymous, faultReply('tls-required'));
  }
  return {
    state: { ...state, login: { kind: 'named', user: argument } },
    effects: [{ kind: 'name', user: argument }],
  };
};

export const pass: CommandHandler = (state, argument) => {
  switch (state.login.kind) {
    case 'none':
      return answer(state, reply(503, 'Send USER first.'));
    case 'second-factor':
      return answer(state, askSecondFactor);
    case 'admitted':
      return answer(state, reply(202, 'Already logged in.'));
    case 'named':
      return { state, effects: [{ kind: 'password', user: state.login.user, password: argument }] };
  }
};

/**
 * The second factor, where the login asks for one: the only further thing that an FTP login can ask for (RFC 959
 * section 4.1.1). There are no accounts beside the login.
 */
export const acct: CommandHandler = (state, argument) => {
  switch (state.login.kind) {
    case 'none':
      return answer(state, reply(503, 'Send USER first.'));
    case 'named':
      return answer(state, reply(503, 'Send PASS first.'));
    case 'second-factor':
      return argument.trim() === ''
        ? answer(state, reply(501, 'ACCT takes the code.'))
        : { state, effects: [{ kind: 'second-factor', user: state.login.user, code: argument.trim() }] };
    case 'admitted':
      return answer(state, reply(202, 'ACCT is not needed here.'));
  }
};

/**
 * What the login desk said.
 * After USER nothing but an admission (RFC 2228: 232), a second factor that alone is missing and the need of TLS shows;
 * all else asks for the password.
 */
export function afterLogin(state: ControlState, event: ControlEvent & { kind: 'login' }): Step {
  const { asked } = event;
  if (event.outcome === 'admitted') {
    return answer(
      { ...state, login: { kind: 'admitted' }, names: 0, directory: rootPath },
      asked === 'name' ? reply(232, 'Logged in by certificate.') : reply(230, 'Logged in.'),
    );
  }
  const anonymous: ControlState = { ...state, login: { kind: 'none' } };
  if (event.outcome === 'refused' && event.fault === 'tls-required') {
    return answer(anonymous, faultReply('tls-required'));
  }
  if (event.outcome === 'second-factor' && asked !== 'second-factor' && state.login.kind === 'named') {
    return answer({ ...state, login: { kind: 'second-factor', user: state.login.user } }, askSecondFactor);
  }
  if (asked === 'name') return answer(state, askPassword);
  if (event.outcome === 'refused' && event.fault === 'service-refusing') {
    return {
      state: anonymous,
      effects: [{ kind: 'reply', reply: faultReply('service-refusing') }, { kind: 'close' }],
    };
  }
  const failed: ControlState = { ...anonymous, failedLogins: state.failedLogins + 1 };
  if (failed.failedLogins >= state.rules.maxAuthAttempts) {
    return {
      state: failed,
      effects: [{ kind: 'reply', reply: reply(421, 'Too many failed logins.') }, { kind: 'close' }],
    };
  }
  return answer(failed, reply(faults['login-refused'].ftp, faults['login-refused'].text));
}

/**
 * RFC 4217 section 4; SSL is refused, and so is TLS-P, which would also protect the data connection unasked. After a
 * login it comes too late: what was logged in in clear does not become somebody else's encrypted connection.
 */
export const auth: CommandHandler = (state, argument) => {
  if (state.rules.authTls === 'unavailable') return answer(state, reply(502, 'TLS is not available here.'));
  if (state.channel === 'encrypted') return answer(state, reply(503, 'The connection is already encrypted.'));
  if (state.login.kind === 'admitted') return answer(state, reply(503, 'AUTH comes before the login.'));
  if (!['TLS', 'TLS-C'].includes(argument.trim().toUpperCase())) {
    return answer(state, reply(504, 'Only AUTH TLS is supported.'));
  }
  return { state, effects: [{ kind: 'reply', reply: reply(234, 'Proceed with TLS.') }, { kind: 'secure' }] };
};

/** Nothing said in clear counts any more (RFC 4217 section 4: as after REIN). */
export const afterSecured = (state: ControlState, serverName: string | undefined): ControlState => ({
  ...initialState(state.rules, 'encrypted', serverName),
  protection: 'clear',
  failedLogins: state.failedLogins,
  strayLines: state.strayLines,
  names: state.names,
});

/**
 * RFC 4217 section 11: in TLS it would have to go back to clear text, which nothing here does. The connection is as a
 * new one; failed logins still count.
 */
export const rein: CommandHandler = (state) => {
  if (state.channel === 'encrypted') return answer(state, reply(502, 'Open another connection instead.'));
  return {
    state: { ...initialState(state.rules, 'clear'), failedLogins: state.failedLogins, names: state.names },
    effects: [{ kind: 'close-data' }, { kind: 'log-out' }, { kind: 'reply', reply: reply(220, 'Ready.') }],
  };
};

/** RFC 4217 section 12: what was said in TLS does not go on in clear. */
export const ccc: CommandHandler = (state) =>
  answer(
    state,
    state.channel === 'encrypted'
      ? reply(534, 'The control connection stays encrypted.')
      : reply(533, 'The control connection is not encrypted.'),
  );

/**
 * RFC 7151 section 3: before USER, and in TLS only the name that the handshake was for (section 3.3): the certificate
 * was chosen by it. Every name leads to the same accounts.
 */
export const host: CommandHandler = (state, argument) => {
  if (state.login.kind !== 'none') return answer(state, reply(503, 'HOST comes before USER.'));
  const name = argument.trim().toLowerCase();
  if (!/^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[\da-f:.]+\])$/.test(name)) {
    return answer(state, reply(501, 'This is no host name.'));
  }
  const served = state.channel === 'clear' || name.replace(/\.$/, '') === state.serverName?.toLowerCase();
  return answer(state, served ? reply(220, 'Ready.') : reply(504, 'This connection is for another host.'));
};

/** RFC 4217 section 8: TLS needs no buffer size, and the parameter is answered as 0. */
export const pbsz: CommandHandler = (state, argument) => {
  if (state.channel === 'clear') return answer(state, reply(503, 'Send AUTH TLS first.'));
  if (!/^\d{1,10}$/.test(argument.trim())) return answer(state, reply(501, 'PBSZ takes a number.'));
  return answer({ ...state, bufferSizeAgreed: true }, reply(200, 'PBSZ=0'));
};

/** RFC 4217 section 9. On an encrypted connection data goes encrypted or not at all. */
export const prot: CommandHandler = (state, argument) => {
  if (state.channel === 'clear') return answer(state, reply(503, 'Send AUTH TLS first.'));
  if (!state.bufferSizeAgreed) return answer(state, reply(503, 'Send PBSZ 0 first.'));
  switch (argument.trim().toUpperCase()) {
    case 'P':
      return answer(
        { ...state, protection: 'private' },
        reply(200, 'The data connection will be encrypted.'),
      );
    case 'C':
      return answer(state, reply(534, 'The data connection must be encrypted; send PROT P.'));
    case 'S':
    case 'E':
      return answer(state, reply(536, 'TLS has no such protection level.'));
    default:
      return answer(state, reply(504, 'Only PROT P is supported.'));
  }
};

export const quit: CommandHandler = (state) => ({
  state,
  effects: [{ kind: 'reply', reply: reply(221, 'Goodbye.') }, { kind: 'close' }],
});
