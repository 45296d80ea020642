import { Buffer } from 'node:buffer';
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import ssh2, { type ConnectConfig } from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { Stage, type StageOptions, until } from './fixture/stage.ts';

let stage: Stage;
const open = async (options: StageOptions = {}): Promise<Stage> => {
  stage = await Stage.open(options);
  return stage;
};
afterEach(() => stage.close());

type Tried = { readonly ready: boolean; readonly error?: string; readonly offered: string[][] };

/** Logs in with ssh2's client, trying exactly these methods in this order, and tells what was offered after each. */
function login(config: Partial<ConnectConfig>, methods: object[]): Promise<Tried> {
  return new Promise((resolve) => {
    const client = new ssh2.Client();
    const offered: string[][] = [];
    const left = [...methods];
    let error: string | undefined;
    client.on('ready', () => {
      resolve({ ready: true, offered });
      client.end();
    });
    client.on('error', (failure) => {
      error = failure.message;
    });
    client.on('close', () => resolve({ ready: false, offered, ...(error ? { error } : {}) }));
    client.on('keyboard-interactive', (_name, _instructions, _lang, prompts, finish) => {
      finish(prompts.map(() => answer));
    });
    const answer = (methods.find((method) => 'answer' in method) as { answer?: string })?.answer ?? '';
    client.connect({
      host: '127.0.0.1',
      port: stage.port,
      username: 'demo',
      ...config,
      authHandler: (methodsLeft, partial, next) => {
        if (methodsLeft) offered.push([...methodsLeft, ...(partial ? ['partial'] : [])]);
        const method = left.shift();
        next((method ? { username: config.username ?? 'demo', ...method } : false) as never);
      },
    });
  });
}

const none = { type: 'none' };
const password = (text: string) => ({ type: 'password', password: text });
const interactive = (text: string) => ({
  type: 'keyboard-interactive',
  answer: text,
  prompt: promptWith(text),
});
const promptWith =
  (text: string) =>
  (_n: string, _i: string, _l: string, prompts: unknown[], finish: (answers: string[]) => void) =>
    finish(prompts.map(() => text));
const key = (pem: string) => ({ type: 'publickey', key: pem });

const all = ['publickey', 'password', 'keyboard-interactive'];

describe('a login', () => {
  it('with a password', async () => {
    await open();
    expect(await login({}, [none, password(stage.password)])).toEqual({ ready: true, offered: [all] });
    expect(stage.desk.sessions[0]?.proofs).toEqual(['password']);
  });

  it('with keyboard-interactive', async () => {
    await open();
    expect((await login({}, [interactive(stage.password)])).ready).toBe(true);
    expect((await login({}, [interactive('wrong')])).ready).toBe(false);
  });

  it('offers the same list whoever asks', async () => {
    await open();
    for (const username of ['demo', 'nobody', '', 'x'.repeat(10_000)]) {
      const tried = await login({ username }, [none, password('wrong')]);
      expect(tried).toMatchObject({ ready: false, offered: [all, all] });
    }
  });

  it.each([
    ['disabled', ['password', 'keyboard-interactive']],
    ['optional', all],
    ['required', ['publickey']],
  ] as const)('offers what a client certificate that is %s allows', async (clientCertificate, methods) => {
    await open({ server: { clientCertificate } });
    expect((await login({}, [none])).offered).toEqual([methods]);
  });

  it('is refused a method that is not offered', async () => {
    await open({ server: { clientCertificate: 'required' } });
    expect((await login({}, [password(stage.password)])).ready).toBe(false);
    expect((await login({}, [interactive(stage.password)])).ready).toBe(false);
    await stage.apply({ clientCertificate: 'disabled' });
    expect((await login({}, [key(stage.clientKey.pem)])).ready).toBe(false);
    expect(stage.desk.sessions).toEqual([]);
  });

  it('takes key and password where both are required, in that order', async () => {
    await open({ server: { clientCertificate: 'required' } });
    stage.desk.policy = {
      ...stage.desk.policy,
      loginSettings: { ...stage.desk.policy.loginSettings, password: 'required' },
    };
    const passwordsLeft = ['password', 'keyboard-interactive', 'partial'];
    expect(await login({}, [none, key(stage.clientKey.pem), password(stage.password)])).toEqual({
      ready: true,
      offered: [['publickey'], passwordsLeft],
    });
    expect(stage.desk.sessions[0]?.proofs).toEqual(['password', 'credential']);
    expect((await login({}, [key(stage.clientKey.pem), interactive(stage.password)])).ready).toBe(true);
    expect((await login({}, [key(stage.clientKey.pem), password('wrong')])).ready).toBe(false);
    expect((await login({}, [key(stage.otherKey.pem), password(stage.password)])).ready).toBe(false);
    expect((await login({}, [password(stage.password)])).ready).toBe(false);
  });

  it('goes on with a password where a key alone is not enough', async () => {
    await open();
    stage.desk.policy = {
      ...stage.desk.policy,
      loginSettings: { ...stage.desk.policy.loginSettings, password: 'required' },
    };
    expect(await login({}, [key(stage.clientKey.pem), password(stage.password)])).toMatchObject({
      ready: true,
      offered: [['password', 'keyboard-interactive', 'partial']],
    });
  });

  it('ends after too many failures', async () => {
    await open({ server: { limits: { maxAuthAttempts: 3 } } });
    const tried = await login(
      {},
      Array.from({ length: 10 }, () => password('wrong')),
    );
    expect(tried).toMatchObject({ ready: false, offered: [all, all] });
  });

  it('may ask for many keys before the one that is known', async () => {
    await open({ server: { limits: { maxAuthAttempts: 2 } } });
    const files = await Promise.all(
      Array.from({ length: 8 }, (_, i) => stage.makeKey(`k${i}`, '-t', 'ed25519')),
    );
    const extra = files.slice(1).flatMap(({ file }) => ['-i', file]);
    const done = await stage.sftp('pwd\n', files[0], ...extra, '-i', stage.clientKey.file);
    expect(done).toMatchObject({ code: 0 });
  });

  it('ends when its grace is over', async () => {
    await open({ server: { limits: { loginGraceSeconds: 1 } } });
    const began = performance.now();
    const client = new ssh2.Client();
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('error', () => {});
    // Never answers: the handler keeps the turn.
    client.connect({ host: '127.0.0.1', port: stage.port, username: 'demo', authHandler: () => {} } as never);
    await closed;
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('works with OpenSSH and a password', async () => {
    await open();
    const asker = stage.at('askpass');
    await writeFile(asker, `#!/bin/sh\necho '${stage.password}'\n`, { mode: 0o700 });
    for (const method of ['password', 'keyboard-interactive']) {
      const child: ChildProcess = spawn(
        'ssh',
        [
          ...['-F', 'none', '-o', 'StrictHostKeyChecking=yes', '-o', `PreferredAuthentications=${method}`],
          ...['-o', `UserKnownHostsFile=${stage.at('known_hosts')}`, '-o', 'NumberOfPasswordPrompts=1'],
          ...['-p', String(stage.port), '-s', 'demo@127.0.0.1', 'sftp'],
        ],
        {
          env: { ...process.env, SSH_ASKPASS: asker, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: '' },
          stdio: ['pipe', 'pipe', 'ignore'],
        },
      );
      const init = Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]);
      child.stdin?.write(init);
      const version = await new Promise<Buffer>((resolve) => child.stdout?.once('data', resolve));
      expect(version[4]).toBe(2);
      child.stdin?.end();
      expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    }
  });
});

describe('a session', () => {
  it('ends with its signal', async () => {
    await open();
    const { child, ended } = stage.startSftp('!cat\n');
    await until(() => stage.desk.sessions.length === 1);
    stage.desk.sessions[0]?.end('account-disabled');
    await stage.desk.sessions[0]?.closed;
    child.kill();
    await ended;
  });

  it('ends when it idles', async () => {
    await open({ server: { limits: { idleSeconds: 1 } } });
    const client = new ssh2.Client();
    client.on('error', () => {});
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.connect({ host: '127.0.0.1', port: stage.port, username: 'demo', password: stage.password });
    await closed;
    await stage.desk.sessions[0]?.closed;
  });

  it('refuses new operations while its server drains', async () => {
    await open();
    const client = new ssh2.Client();
    client.connect({ host: '127.0.0.1', port: stage.port, username: 'demo', password: stage.password });
    await new Promise<void>((resolve) => client.once('ready', () => resolve()));
    const sftp = await new Promise<ssh2.SFTPWrapper>((resolve, reject) =>
      client.sftp((error, wrapper) => (error ? reject(error) : resolve(wrapper))),
    );
    const made = (name: string) =>
      new Promise<string>((resolve) => sftp.mkdir(name, (error) => resolve(error ? error.message : 'made')));
    expect(await made('/a')).toBe('made');
    const session = stage.desk.sessions[0];
    if (session) session.admits = false;
    expect(await made('/b')).toBe('The service is not available.');
    client.end();
    await session?.closed;
  });
});
