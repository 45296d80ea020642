// A zone whose timestamps live three seconds and nothing changes: the node goes on serving, no new version is made for
// it, and without the control plane it says that it is past its time and serves in grace.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/process.ts';
import { demoOf, isAlive, type Quickstart, startQuickstart, untilLive } from './support/quickstart.ts';
import { sftp } from './support/ssh.ts';

let quickstart: Quickstart;

beforeAll(async () => {
  quickstart = await startQuickstart();
}, 60_000);
afterAll(() => quickstart.stop(), 60_000);

const heldTimestamp = (): { version: number; issuedAt: string; expiresAt: string } => {
  const current = JSON.parse(
    readFileSync(join(quickstart.contract.nodeHome, 'snapshot', 'current.json'), 'utf8'),
  ) as { timestamp: string };
  const { payload } = JSON.parse(current.timestamp) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
};

it('serves an unchanged zone far beyond the life of one timestamp', async () => {
  const { api, contract } = quickstart;
  const login = { key: contract.files.sshKey };
  const { zone } = await demoOf(quickstart);
  const changed = await api.zones.change(
    zone.id,
    { snapshot: { timestampSeconds: 3, graceSeconds: 3_600 } },
    zone.version,
  );
  await untilLive(quickstart, zone.id, changed.changeSequence);
  await eventually(() => {
    const { issuedAt, expiresAt } = heldTimestamp();
    expect(Date.parse(expiresAt) - Date.parse(issuedAt)).toBe(3_000);
  });
  const before = heldTimestamp();
  // The time that passes is what this story is about.
  await pause(10_000);
  const after = heldTimestamp();
  expect(after.version).toBe(before.version);
  expect(Date.parse(after.issuedAt)).toBeGreaterThan(Date.parse(before.expiresAt));
  expect(Date.parse(after.expiresAt)).toBeGreaterThan(Date.now() - 1_000);
  expect(await sftp(contract, login, 'pwd\n')).toMatchObject({ code: 0 });

  process.kill(contract.processes.controlPlane, 'SIGTERM');
  await eventually(() => expect(isAlive(contract.processes.controlPlane)).toBe(false), { timeoutMs: 30_000 });
  await eventually(() => expect(Date.parse(heldTimestamp().expiresAt)).toBeLessThan(Date.now()), {
    timeoutMs: 10_000,
  });
  expect(await sftp(contract, login, 'pwd\n')).toMatchObject({ code: 0 });
}, 60_000);
