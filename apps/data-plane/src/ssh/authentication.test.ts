import { describe, expect, it } from 'vitest';
import type { LoginAttempt, LoginOutcome } from '../login.ts';
import type { Session } from '../session.ts';
import { type AuthExchange, Authentication, type Credential } from './authentication.ts';

const partly: LoginOutcome = { kind: 'continue', missing: ['password'], partial: true };
const refused: LoginOutcome = { kind: 'refused', fault: 'login-refused' };
const admitted: LoginOutcome = { kind: 'admitted', session: { id: 's' } as Session };

/** An authentication over an attempt that answers as told, and what came of it. */
function stage(answers: {
  password?: LoginOutcome | Error;
  code?: LoginOutcome;
  sshKey?: LoginOutcome;
  known?: boolean;
}) {
  const log: string[] = [];
  const attempt: LoginAttempt = {
    name: async () => refused,
    async password(user, password) {
      log.push(`password ${user} ${password}`);
      if (answers.password instanceof Error) throw answers.password;
      return answers.password ?? refused;
    },
    async secondFactor(user, code) {
      log.push(`code ${user} ${code}`);
      return answers.code ?? refused;
    },
    async badSignature(user) {
      log.push(`bad signature ${user}`);
    },
    async knowsSshKey(user) {
      log.push(`query ${user}`);
      return answers.known ?? false;
    },
    async sshKey(user) {
      log.push(`key ${user}`);
      return answers.sshKey ?? refused;
    },
    tlsCredential: () => {},
  };
  const authentication = new Authentication({
    attempt,
    firstMethods: answers.code ? ['password', 'keyboard-interactive'] : ['publickey', 'password'],
    maxFailures: 3,
    onAdmitted: () => log.push('admitted'),
    onForsaken: () => log.push('forsaken'),
    onExhausted: () => log.push('exhausted'),
  });
  const tell = (user: string, credential: Credential, accepts = true) => {
    const exchange: AuthExchange = {
      user,
      credential,
      accept: () => {
        log.push('accept');
        return accepts;
      },
      acceptKey: () => log.push('accept key'),
      refuse: (methods, partial) => log.push(`refuse ${methods.join()} ${partial}`),
    };
    return authentication.handle(exchange);
  };
  return { log, tell };
}

const password = (text = 'secret'): Credential => ({ method: 'password', password: text });
const key = (signature?: 'good' | 'bad'): Credential => ({
  method: 'publickey',
  key: { algorithm: 'ssh-ed25519', blob: new Uint8Array(1), verify: () => signature === 'good' },
  signed: signature && { data: new Uint8Array(1), signature: new Uint8Array(1) },
});
const first = 'refuse publickey,password none';

describe('Authentication', () => {
  it('asks for a key before it believes a signature, and never believes a bad one', async () => {
    const { log, tell } = stage({ known: true, sshKey: admitted });
    await tell('ann', key());
    await tell('ann', key('bad'));
    expect(log).toEqual(['query ann', 'accept key', 'bad signature ann', first]);
    await tell('ann', key('good'));
    expect(log.slice(4)).toEqual(['key ann', 'admitted', 'accept']);
  });

  it('asks nobody about a key that is not accepted', async () => {
    const { log, tell } = stage({ known: true, sshKey: admitted });
    await tell('ann', { method: 'publickey', key: undefined, signed: undefined });
    const signed = { data: new Uint8Array(1), signature: new Uint8Array(1) };
    await tell('ann', { method: 'publickey', key: undefined, signed });
    expect(log).toEqual([first, first]);
  });

  it('offers what is missing after a part, and begins anew with another name', async () => {
    const { log, tell } = stage({ sshKey: partly });
    await tell('ann', key('good'));
    await tell('ann', key('good'));
    await tell('bob', { method: 'none' });
    expect(log).toEqual([
      'key ann',
      'refuse password,keyboard-interactive partial',
      'refuse password,keyboard-interactive none',
      first,
    ]);
  });

  it('counts failures and not questions', async () => {
    const { log, tell } = stage({});
    for (let i = 0; i < 10; i++) await tell('ann', { method: 'none' });
    for (let i = 0; i < 10; i++) await tell('ann', key());
    expect(log).not.toContain('exhausted');
    await tell('ann', password());
    await tell('ann', { method: 'unsupported' });
    await tell('ann', key('bad'));
    expect(log.at(-1)).toBe('exhausted');
    const { length } = log;
    await tell('ann', password());
    expect(log.length).toBe(length);
  });

  it('bounds questions, too', async () => {
    const { log, tell } = stage({});
    for (let i = 0; i < 31; i++) await tell('ann', { method: 'none' });
    expect(log.at(-1)).toBe('exhausted');
  });

  it('takes a prompt that is not answered for a failure', async () => {
    const { log, tell } = stage({ sshKey: partly });
    await tell('ann', key('good'));
    await tell('ann', { method: 'keyboard-interactive', ask: async () => undefined });
    expect(log.at(-1)).toBe('refuse password,keyboard-interactive none');
    await tell('ann', { method: 'keyboard-interactive', ask: async () => 'answer' });
    expect(log).toContain('password ann answer');
  });

  it('lets go of a session that its client did not wait for', async () => {
    const { log, tell } = stage({ password: admitted });
    await tell('ann', password(), false);
    expect(log.slice(1)).toEqual(['admitted', 'accept', 'forsaken']);
  });

  it('judges one request after the other, and none after a breakdown', async () => {
    const { log, tell } = stage({ password: new Error('broken') });
    const broken = tell('ann', password());
    const after = tell('ann', password());
    await expect(broken).rejects.toThrow('broken');
    await after;
    expect(log).toEqual(['password ann secret']);
  });
});

describe('a second factor', () => {
  const codeNext: LoginOutcome = { kind: 'continue', missing: ['second-factor'], partial: true };
  const asking = (answers: Record<string, string>, asked: string[]): Credential => ({
    method: 'keyboard-interactive',
    ask: async (prompt) => {
      asked.push(prompt);
      return answers[prompt];
    },
  });
  const both = { 'Password: ': 'secret', 'Verification code: ': '123456' };

  it('after the method password is asked for by keyboard-interactive alone', async () => {
    const { log, tell } = stage({ password: codeNext, code: admitted });
    const asked: string[] = [];
    await tell('ann', password());
    await tell('ann', asking(both, asked));
    expect(asked).toEqual(['Verification code: ']);
    expect(log).toEqual([
      'password ann secret',
      'refuse keyboard-interactive partial',
      'code ann 123456',
      'admitted',
      'accept',
    ]);
  });

  it('within keyboard-interactive has a round of its own after the password', async () => {
    const { log, tell } = stage({ password: codeNext, code: admitted });
    const asked: string[] = [];
    await tell('ann', asking(both, asked));
    expect(asked).toEqual(['Password: ', 'Verification code: ']);
    expect(log).toEqual(['password ann secret', 'code ann 123456', 'admitted', 'accept']);
  });

  it('is not asked for after a wrong password', async () => {
    const { log, tell } = stage({ code: admitted });
    const asked: string[] = [];
    await tell('ann', asking(both, asked));
    expect(asked).toEqual(['Password: ']);
    expect(log).toEqual(['password ann secret', 'refuse password,keyboard-interactive none']);
  });

  it('that is wrong may be tried again, and not by another name', async () => {
    const { log, tell } = stage({ password: codeNext, code: refused });
    const asked: string[] = [];
    await tell('ann', asking(both, asked));
    await tell('ann', asking(both, asked));
    expect(log.at(-1)).toBe('refuse keyboard-interactive none');
    await tell('bob', asking(both, asked));
    expect(asked.slice(2)).toEqual(['Verification code: ', 'Password: ', 'Verification code: ']);
    expect(log.at(-1)).toBe('exhausted');
  });
});
