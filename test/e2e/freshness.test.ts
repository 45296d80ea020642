// A zone whose timestamps live three seconds. While nothing changes, the node is told every second that nothing is
// withheld from it, and no version is made for that. When the control plane falls silent the node goes on for its
// grace, and not a moment longer: then it refuses, and ends what runs, until it hears again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, startProcess } from '../support/process.ts';
import { curl } from './support/curl.ts';
import {
  type Demo,
  demoOf,
  isAlive,
  node,
  type Quickstart,
  sallyport,
  startQuickstart,
} from './support/quickstart.ts';
import { openSftp, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const timestampSeconds = 3;
const graceSeconds = 6;

let quickstart: Quickstart;
let demo: Demo;
let controlPlane: RunningProcess | undefined;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
});
afterAll(async () => {
  await controlPlane?.stop();
  await quickstart.stop();
});

type Timestamp = { readonly version: number; readonly issuedAt: string; readonly expiresAt: string };

/** The timestamp that the node has on its disk. */
function heldTimestamp(): Timestamp {
  const current = readFileSync(join(quickstart.contract.nodeHome, 'snapshot', 'current.json'), 'utf8');
  const { timestamp } = JSON.parse(current) as { timestamp: string };
  const { payload } = JSON.parse(timestamp) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Timestamp;
}

async function newestVersion(): Promise<number | undefined> {
  const path = `/v1/snapshots?zone=${demo.zone.id}&limit=1`;
  const { items } = (await quickstart.api.request({ method: 'GET', path })) as {
    items: { version: number }[];
  };
  return items[0]?.version;
}

const login = async () =>
  (await sftp(quickstart.contract, { key: quickstart.contract.files.sshKey }, 'pwd\n')).code;

test('a shorter life is in force soon', async () => {
  const { api } = quickstart;
  await api.zones.change(
    demo.zone.id,
    { snapshot: { timestampSeconds, graceSeconds } },
    (await api.zones.get(demo.zone.id)).version,
  );
  const changed = performance.now();
  await eventually(
    () => {
      const { issuedAt, expiresAt } = heldTimestamp();
      expect(Date.parse(expiresAt) - Date.parse(issuedAt)).toBe(timestampSeconds * 1000);
    },
    { timeoutMs: 30_000 },
  );
  console.log(`after ${(performance.now() - changed).toFixed()} ms`);
});

test('an unchanged zone serves on and makes no version', async () => {
  const before = { version: await newestVersion(), held: heldTimestamp() };
  await pause(10_000);
  expect(await login()).toBe(0);
  const held = heldTimestamp();
  expect(await newestVersion()).toBe(before.version);
  expect(held.version).toBe(before.held.version);
  expect(Date.parse(held.issuedAt) - Date.parse(before.held.issuedAt)).toBeGreaterThan(7_000);
  const [node] = await quickstart.api.nodes.list();
  expect(node?.appliedVersion).toBe(before.version);
});

test('without the control plane it goes on in grace, then refuses', async () => {
  const { contract } = quickstart;
  const { controlPlane: pid } = quickstart.read().processes;
  const open = await openSftp(contract, { key: contract.files.sshKey });
  process.kill(pid, 'SIGTERM');
  await eventually(() => expect(isAlive(pid)).toBe(false));
  const { expiresAt } = heldTimestamp();
  const expired = Date.parse(expiresAt);

  await pause(Math.max(0, expired + 1_000 - Date.now()));
  expect(await login()).toBe(0);
  await open.works();
  expect(Date.now()).toBeLessThan(expired + graceSeconds * 1000);
  expect(heldTimestamp().expiresAt).toBe(expiresAt);

  await pause(Math.max(0, expired + graceSeconds * 1000 + 1_500 - Date.now()));
  expect(await login()).toBe(255);
  const { password } = contract.account;
  for (const target of ['ftp', 'https'] as const) {
    expect((await curl(contract, target, '', { password })).code).not.toBe(0);
  }
  await expect(open.works()).rejects.toThrow('the session has ended');
});

test('and serves again as soon as it hears that nothing was withheld', async () => {
  const secrets = join(quickstart.home, 'control-plane', 'secrets.json');
  const { port } = new URL(quickstart.contract.controlPlaneUrl);
  controlPlane = startProcess(node, [
    sallyport,
    'control-plane',
    'run',
    '--secrets',
    secrets,
    '--port',
    port,
  ]);
  await eventually(async () => expect(await login()).toBe(0), { timeoutMs: 40_000, everyMs: 250 });
});
