import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { modernPolicy } from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hybridClient } from './fixture/hybrid-client.ts';
import { makeHostKey, run, Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ hostKeys: [makeHostKey('ed25519'), makeHostKey('rsa')] });
});
afterAll(() => stage.close());

describe('mlkem768x25519-sha256', () => {
  it('logs in, takes new keys, and goes on', async () => {
    const client = hybridClient(stage);
    const negotiated: { kex: string }[] = [];
    client.on('handshake', (agreed) => negotiated.push(agreed as unknown as { kex: string }));
    await once(client, 'ready');
    const rekeyed = once(client, 'handshake');
    (client as unknown as { _protocol: { rekey(): void } })._protocol.rekey();
    await rekeyed;
    await new Promise<void>((done, failed) => {
      client.sftp((error, sftp) => {
        if (error) return failed(error);
        sftp.stat('/', (refusal) => (refusal ? failed(refusal) : done()));
      });
    });
    expect(negotiated.length).toBe(2);
    client.end();
    await stage.desk.sessions.at(-1)?.closed;
  });

  it.each<[string, (share: Buffer) => Buffer]>([
    ['that is a byte short', (share) => share.subarray(1)],
    ['that is a byte long', (share) => Buffer.concat([share, Buffer.alloc(1)])],
    [
      'with coefficients above the modulus',
      (share) => Buffer.concat([Buffer.alloc(1184, 0xff), share.subarray(1184)]),
    ],
    ['with an X25519 key of zeros', (share) => Buffer.concat([share.subarray(0, 1184), Buffer.alloc(32)])],
    ['that is empty', () => Buffer.alloc(0)],
  ])('refuses a share %s', async (_, tamper) => {
    const client = hybridClient(stage, tamper);
    const said: string[] = [];
    client.on('ready', () => said.push('ready'));
    client.on('error', (error) => said.push(error.message));
    await new Promise<void>((resolve) => client.once('close', () => resolve()));
    expect(said).not.toContain('ready');
    expect(said.length).toBeGreaterThan(0);
  });
});

describe('sntrup761x25519', () => {
  it('is what OpenSSH takes', async () => {
    const name = 'sntrup761x25519-sha512@openssh.com';
    const done = await stage.sftp(
      'pwd\n',
      stage.clientKey,
      '-o',
      'LogLevel=DEBUG1',
      '-o',
      `KexAlgorithms=${name}`,
    );
    expect(done.stderr).toContain(`kex: algorithm: ${name}`);
    expect(done.code).toBe(0);
  });
});

describe('a key exchange that is guessed', () => {
  it.each([
    ['rightly', ['curve25519-sha256', 'diffie-hellman-group16-sha512']],
    ['wrongly', ['diffie-hellman-group16-sha512', 'curve25519-sha256']],
    ['wrongly, where another is agreed on that is a hybrid', modernPolicy.ssh.kex],
  ])('%s ends in a login of Dropbear', async (_, kex) => {
    const own = await Stage.open({ algorithms: { ...modernPolicy, ssh: { ...modernPolicy.ssh, kex } } });
    const key = own.at('dropbear');
    const converted = await run('dropbearconvert', ['openssh', 'dropbear', own.clientKey.file, key]);
    expect(converted).toMatchObject({ code: 0 });
    const args = ['-y', '-y', '-i', key, '-p', String(own.port), 'demo@127.0.0.1', '-s', 'none'];
    const env = { ...process.env, HOME: own.folder };
    const client = spawn('dbclient', args, { env, stdio: 'ignore' });
    const exited = once(client, 'exit');
    await until(() => own.desk.sessions.length === 1);
    client.kill();
    await exited;
    await own.close();
  });
});
