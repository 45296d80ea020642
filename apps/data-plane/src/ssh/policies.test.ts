import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { builtInAlgorithmPolicies, modernPolicy, type SshAlgorithms } from '@sallyport/model';
import ssh2 from 'ssh2';
import { afterEach, describe, expect, it } from 'vitest';
import { makeHostKey, Stage } from './fixture/stage.ts';

let stage: Stage | undefined;
afterEach(() => stage?.close());

const open = async (name: string, change: Partial<SshAlgorithms> = {}): Promise<Stage> => {
  const policy = builtInAlgorithmPolicies.find((candidate) => candidate.name === name) ?? modernPolicy;
  stage = await Stage.open({
    hostKeys: [makeHostKey('ed25519'), makeHostKey('ecdsa-p256'), makeHostKey('rsa')],
    algorithms: { ...policy, ssh: { ...policy.ssh, ...change } },
  });
  return stage;
};

/** Runs OpenSSH with one algorithm only; what the lists of the distribution's client leave out is put back in. */
const trying = (at: Stage, option: string, value: string) => {
  const more = option === 'MACs' ? ['-o', 'Ciphers=aes128-ctr'] : [];
  return at.sftp('pwd\n', at.clientKey, '-o', `${option}=${value}`, ...more);
};

/** What OpenSSH of the distribution does not speak. */
const unknownToClient = /^(mlkem|sntrup761x25519-sha512$|diffie-hellman-group1[57])/;

describe.each(['compatible', 'fips'])('the policy %s', (name) => {
  it('serves every algorithm of its lists, and no other', async () => {
    const at = await open(name, { clientKeys: modernPolicy.ssh.clientKeys });
    const { ssh } = at.algorithms;
    const lists = [
      ['KexAlgorithms', ssh.kex],
      ['HostKeyAlgorithms', ssh.hostKeys.filter((each) => !/nistp(384|521)/.test(each))],
      ['Ciphers', ssh.ciphers],
      ['MACs', ssh.macs],
    ] as const;
    for (const [option, names] of lists) {
      for (const each of names.filter((one) => !unknownToClient.test(one))) {
        expect({ each, ...(await trying(at, option, each)) }).toMatchObject({ each, code: 0 });
      }
    }
    const refused = {
      compatible: [['MACs', 'hmac-md5']],
      fips: [
        ['KexAlgorithms', 'curve25519-sha256'],
        ['HostKeyAlgorithms', 'ssh-ed25519'],
        ['Ciphers', 'chacha20-poly1305@openssh.com'],
        ['MACs', 'hmac-sha1'],
      ],
    }[name] as [string, string][];
    for (const [option, each] of refused) expect((await trying(at, option, each)).code).not.toBe(0);
  }, 60_000);
});

describe('a custom policy', () => {
  it('is offered in its order', async () => {
    const at = await open('custom', {
      kex: ['ecdh-sha2-nistp521', 'curve25519-sha256'],
      ciphers: ['aes256-ctr', 'aes128-gcm@openssh.com'],
      hostKeys: ['rsa-sha2-256', 'ssh-ed25519'],
    });
    const { stderr } = await at.ssh(['-vv', '-s', 'none']);
    expect(stderr).toMatch(
      /KEX algorithms: ecdh-sha2-nistp521,curve25519-sha256,kex-strict-s-v00@openssh\.com\r?\n/,
    );
    expect(stderr).toMatch(
      /peer server KEXINIT proposal[\s\S]*host key algorithms: rsa-sha2-256,ssh-ed25519\r?\n/,
    );
    expect(stderr).toMatch(
      /peer server KEXINIT proposal[\s\S]*ciphers ctos: aes256-ctr,aes128-gcm@openssh\.com\r?\n/,
    );
  });

  it('says which signatures client keys may use, and takes no other', async () => {
    const at = await open('custom', { clientKeys: ['rsa-sha2-512'] });
    expect((await at.ssh(['-vv', '-s', 'none'])).stderr).toMatch(/server-sig-algs=<rsa-sha2-512>/);
    expect((await at.sftp('pwd\n')).stderr).toContain('Permission denied');
  });

  it('with SHA-1 lets in a client that knows nothing better', async () => {
    const at = await open('compatible');
    const key = await at.makeKey('rsa', '-t', 'rsa', '-b', '2048');
    const accounts = await Stage.open({
      algorithms: at.algorithms,
      hostKeys: [makeHostKey('rsa')],
      accounts: () => ({ demo: { keys: [key.blob] } }),
    });
    const old = ['-o', 'PubkeyAcceptedAlgorithms=ssh-rsa', '-o', 'HostKeyAlgorithms=ssh-rsa'];
    expect(await accounts.sftp('pwd\n', key, ...old)).toMatchObject({ code: 0 });
    accounts.algorithms = modernPolicy;
    await accounts.apply();
    expect((await accounts.sftp('pwd\n', key, ...old)).code).not.toBe(0);
    await accounts.close();
  });
});

describe('new keys', () => {
  it('come by bytes in both directions, and the files are whole', async () => {
    stage = await Stage.open({ server: { ssh: { rekeyMebibytes: 1 } } });
    const content = randomBytes(6 * 1024 * 1024);
    await writeFile(stage.at('big'), content);
    const batch = `put ${stage.at('big')} big\nget big ${stage.at('back')}\n`;
    const done = await stage.sftp(batch, stage.clientKey, '-o', 'LogLevel=DEBUG1', '-o', 'RekeyLimit=2M');
    expect(done.code).toBe(0);
    expect(await readFile(stage.at('back'))).toEqual(content);
    expect(done.stderr.match(/SSH2_MSG_NEWKEYS received/g)?.length).toBeGreaterThan(4);
  });

  it('come by time, while nothing moves', async () => {
    stage = await Stage.open();
    // The schema knows no such haste.
    await stage.apply({ ssh: { ...stage.server.ssh, rekeySeconds: 0.2 } });
    const options = ['-o', 'LogLevel=DEBUG1', '-o', 'KexAlgorithms=curve25519-sha256'];
    const done = await stage.sftp('!sleep 1\npwd\n', stage.clientKey, ...options);
    expect(done.code).toBe(0);
    expect(done.stderr.match(/SSH2_MSG_NEWKEYS received/g)?.length).toBeGreaterThan(1);
  });
});

it('a client that answers nothing any more is ended', async () => {
  stage = await Stage.open();
  // The schema knows no such haste.
  await stage.apply({ ssh: { ...stage.server.ssh, keepaliveSeconds: 0.3 } });
  const client = new ssh2.Client();
  client.on('error', () => {});
  client.connect({ host: '127.0.0.1', port: stage.port, username: 'demo', password: stage.password });
  await once(client, 'ready');
  (client as unknown as { _sock: Socket })._sock.pause();
  await stage.desk.sessions[0]?.closed;
  client.destroy();
});
