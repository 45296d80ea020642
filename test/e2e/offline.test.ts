// The control plane goes away, then the node as well; the node starts again alone from what it has on disk and serves
// all three protocols. When the control plane is back, the node is in contact again and takes the next change.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type RunningProcess, startProcess } from '../support/process.ts';
import { curl, demoCertificate } from './support/curl.ts';
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

let quickstart: Quickstart;
let zone: string;
const alone: RunningProcess[] = [];

beforeAll(async () => {
  quickstart = await startQuickstart();
  zone = (await demoOf(quickstart)).zone.id;
}, 60_000);
afterAll(async () => {
  for (const process_ of alone) {
    process_.kill('SIGTERM');
    await process_.exited;
  }
  await quickstart.stop();
}, 90_000);

async function endInOrder(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await eventually(() => expect(isAlive(pid)).toBe(false), { timeoutMs: 30_000 });
}

/** New logins on every protocol, by key, password and certificate. */
async function everyProtocolServes(): Promise<void> {
  const { contract } = quickstart;
  const { password } = contract.account;
  expect(await sftp(contract, { key: contract.files.sshKey }, 'pwd\n')).toMatchObject({ code: 0 });
  expect(await sftp(contract, { password }, 'pwd\n')).toMatchObject({ code: 0 });
  expect(await curl(contract, 'ftp', '', { password })).toMatchObject({ code: 0 });
  expect(await curl(contract, 'ftps', '', { certificate: demoCertificate(contract) })).toMatchObject({
    code: 0,
  });
  expect(await curl(contract, 'https', '', { certificate: demoCertificate(contract) })).toMatchObject({
    code: 0,
  });
}

describe('without the control plane', () => {
  it('serves new logins on all three protocols', async () => {
    await endInOrder(quickstart.contract.processes.controlPlane);
    await everyProtocolServes();
  });

  it('starts from disk and serves', async () => {
    const { contract } = quickstart;
    await endInOrder(contract.processes.node);
    alone.push(startProcess(node, [sallyport, 'node', 'run', '--home', contract.nodeHome]));
    await eventually(everyProtocolServes, { timeoutMs: 30_000 });
  });

  it('is in contact again when the control plane is back, and takes the next change', async () => {
    const { contract, api, home } = quickstart;
    const port = new URL(contract.controlPlaneUrl).port;
    const secrets = join(home, 'control-plane', 'secrets.json');
    alone.unshift(
      startProcess(node, [sallyport, 'control-plane', 'run', '--secrets', secrets, '--port', port]),
    );
    const created = await eventually(
      () => api.accounts.create({ name: 'later', zones: [zone], password: 'made while the node was away' }),
      { timeoutMs: 30_000 },
    );
    await untilLive(quickstart, zone, created.changeSequence);
    const login = { user: 'later', password: 'made while the node was away' };
    expect(await sftp(contract, login, 'pwd\n')).toMatchObject({ code: 0 });
  });
});
