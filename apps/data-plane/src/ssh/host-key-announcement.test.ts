import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Notice } from '../adapter.ts';
import { makeHostKey, Stage, type TestHostKey, until } from './fixture/stage.ts';

let stage: Stage;
const [old, next, rsa] = [
  makeHostKey('ed25519', 'old'),
  makeHostKey('ed25519', 'next'),
  makeHostKey('rsa', 'rsa'),
] as const;
beforeEach(async () => {
  stage = await Stage.open({ hostKeys: [old, next, rsa] });
  await stage.trust([old]);
});
afterEach(() => stage.close());

const knownHosts = () => readFile(stage.at('known_hosts'), 'utf8');
const lineOf = (key: TestHostKey) => key.knownHost(stage.port);
/** Logs in with a client that learns host keys, until it has written them. */
const learn = async (...keys: TestHostKey[]) => {
  const { child, ended } = stage.startSftp('!cat\n', '-o', 'UpdateHostKeys=yes');
  await until(async () => {
    const known = await knownHosts();
    return keys.every((key) => known.includes(lineOf(key)));
  });
  child.kill();
  await ended;
};
const noticed = (kind: Notice['kind']) =>
  (stage.notices as Notice[]).filter((notice) => notice.kind === kind);

describe('OpenSSH', () => {
  it('learns the next key while the old one is in use, and is not surprised when that is retired', async () => {
    await learn(next, rsa);
    const [told] = noticed('host-key');
    expect(told).toMatchObject({ server: 'ssh', account: 'demo', outcome: 'completed' });
    expect(String(told?.detail?.fingerprints).split(',')).toHaveLength(2);
    const trusted = await knownHosts();
    await stage.listener.apply({
      server: stage.server,
      algorithms: stage.algorithms,
      identities: [next.identity],
    });
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
    expect(await knownHosts()).toBe(trusted);
  });

  it('forgets a key that is announced no more', async () => {
    await learn(next, rsa);
    await stage.listener.apply({
      server: stage.server,
      algorithms: stage.algorithms,
      identities: [next.identity],
    });
    const { child, ended } = stage.startSftp('!cat\n', '-o', 'UpdateHostKeys=yes');
    await until(async () => !(await knownHosts()).includes(lineOf(old)));
    child.kill();
    await ended;
    expect(await knownHosts()).toContain(lineOf(next));
  });

  it('that never learned the next key is surprised', async () => {
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
    await stage.listener.apply({
      server: stage.server,
      algorithms: stage.algorithms,
      identities: [next.identity],
    });
    expect((await stage.sftp('pwd\n')).stderr).toContain('Host key verification failed');
  });

  it('has keys proved over a connection that an RSA key signed', async () => {
    await stage.trust([rsa]);
    await learn(old, next);
  });
});
