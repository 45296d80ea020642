// The control plane goes away. Partners do not notice: they log in on every protocol, even after the node has been
// stopped and started again from nothing but its own disk. When the control plane is back, the node takes the next
// change and delivers what happened meanwhile.
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, startProcess } from '../support/process.ts';
import { curl, demoCertificate } from './support/curl.ts';
import { makeSshKey } from './support/partner.ts';
import {
  demoOf,
  isAlive,
  node,
  type Quickstart,
  sallyport,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const standIns: RunningProcess[] = [];

beforeAll(async () => {
  quickstart = await startQuickstart();
});
afterAll(async () => {
  for (const standIn of standIns.reverse()) {
    await standIn.stop(20_000);
    expect(standIn.stderr()).toBe('');
  }
  await quickstart.stop();
});

/** Ends one of the two processes in order; the quickstart leaves it down. */
async function end(name: 'controlPlane' | 'node'): Promise<void> {
  const pid = quickstart.read().processes[name];
  process.kill(pid, 'SIGTERM');
  await eventually(() => expect(isAlive(pid)).toBe(false), { timeoutMs: 20_000 });
}

async function expectLoginsEverywhere(): Promise<void> {
  const { contract } = quickstart;
  const { password } = contract.account;
  for (const login of [{ key: contract.files.sshKey }, { password }]) {
    expect(await sftp(contract, login, 'pwd\n')).toMatchObject({ code: 0 });
  }
  for (const target of ['ftp', 'ftps', 'https'] as const) {
    for (const login of [{ certificate: demoCertificate(contract) }, { password }]) {
      expect(await curl(contract, target, '', login)).toMatchObject({ code: 0, stderr: '' });
    }
    expect((await curl(contract, target, '', { password: 'not the password' })).code).not.toBe(0);
  }
}

test('without the control plane everybody logs in', async () => {
  await end('controlPlane');
  await expect(fetch(quickstart.contract.controlPlaneUrl)).rejects.toThrow();
  await expectLoginsEverywhere();
});

test('a node that starts without the control plane serves from its disk', async () => {
  await end('node');
  expect((await sftp(quickstart.contract, { key: quickstart.contract.files.sshKey }, 'pwd\n')).code).toBe(
    255,
  );
  const alone = startProcess(
    'npx',
    ['sallyport', 'node', 'run', '--home', quickstart.contract.nodeHome, '--stop-with-stdin'],
    {
      cwd: resolve(import.meta.dirname, '../..'),
    },
  );
  standIns.push(alone);
  await eventually(() => expect(alone.stdout()).toContain('running version'), { timeoutMs: 30_000 });
  await eventually(() => expect(alone.stdout()).toContain('control plane: unreachable'));
  await expectLoginsEverywhere();
});

test('when the control plane is back, the node takes the next change', async () => {
  const { contract, api } = quickstart;
  const refusedBefore = await makeSshKey('later');
  expect((await sftp(contract, { key: refusedBefore.file }, 'pwd\n')).code).toBe(255);

  const secrets = `${quickstart.home}/control-plane/secrets.json`;
  const { port } = new URL(contract.controlPlaneUrl);
  standIns.push(
    startProcess(node, [
      sallyport,
      'control-plane',
      'run',
      '--secrets',
      secrets,
      '--port',
      port,
      '--stop-with-stdin',
    ]),
  );
  const demo = await eventually(() => demoOf(quickstart), { timeoutMs: 30_000 });
  const [account] = await api.accounts.list();
  const { changeSequence } = await api.certificates.create({
    source: 'import',
    kind: 'login',
    alias: 'later',
    account: account?.id,
    text: refusedBefore.publicKey,
  });
  await eventually(() => untilLive(quickstart, demo.zone.id, changeSequence), { timeoutMs: 30_000 });
  expect(await sftp(contract, { key: refusedBefore.file }, 'pwd\n')).toMatchObject({ code: 0 });
  expect(standIns[0]?.stdout()).toContain('control plane: in contact again');
});

test('and the logins of meanwhile arrive', async () => {
  await eventually(
    async () => {
      const logins = (await quickstart.api.events(0)).filter(({ kind }) => kind === 'login');
      const reasons = (outcome: string) =>
        logins.filter((login) => login.outcome === outcome).map(({ reason }) => reason);
      // Twice over, with and without the first node: key, password, three certificates, three passwords.
      expect(reasons('permitted').filter((reason) => reason === 'credential').length).toBeGreaterThanOrEqual(
        8,
      );
      expect(reasons('permitted').filter((reason) => reason === 'password').length).toBeGreaterThanOrEqual(8);
      expect(reasons('refused').filter((reason) => reason === 'password-wrong').length).toBe(6);
    },
    { timeoutMs: 15_000, everyMs: 100 },
  );
});
