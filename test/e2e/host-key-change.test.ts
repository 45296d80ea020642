// An operator gives the SSH server another host key while a partner is in the middle of a download. The download ends
// undisturbed; within a second every new connection meets the new key, which is the one that known-hosts now names.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, temporaryFolder } from '../support/process.ts';
import { firstSuccess } from './support/first-success.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  placeFile,
  type Quickstart,
  startQuickstart,
} from './support/quickstart.ts';
import { sftp, startSftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let demo: Demo;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
});
afterAll(() => quickstart.stop());

test.each(['ed25519', 'ecdsa-p256'] as const)(
  'another %s host key is live within a second and cuts nobody',
  async (keyType) => {
    const { contract, api } = quickstart;
    const folder = temporaryFolder();
    const key = contract.files.sshKey;
    const before = join(folder, 'before');
    writeFileSync(before, await api.servers.knownHosts(demo.ssh.id));
    const bytes = randomBytes(1_000_000);
    await placeFile(quickstart, 'demo', 'slow.bin', bytes);
    const { id } = await api.certificates.create({
      source: 'generate',
      kind: 'local',
      alias: `next-${keyType}`,
      zones: [demo.zone.id],
      purpose: 'ssh',
      keyType,
    });

    // A million bytes at 3,000 kbit/s take more than two seconds.
    const target = join(folder, 'slow.bin');
    const options = ['-l', '3000'];
    const slow = startSftp(contract, { key, knownHosts: before, options }, `get slow.bin ${target}\n`);
    await eventually(async () => expect((await stat(target)).size).toBeGreaterThan(0));

    await changeServer(quickstart, demo.ssh.id, { certificates: [id] });
    const answered = performance.now();
    const after = join(folder, 'after');
    writeFileSync(after, await api.servers.knownHosts(demo.ssh.id));
    const { beganAfterMs } = await firstSuccess(answered, async () =>
      expect(await sftp(contract, { key, knownHosts: after }, 'pwd\n')).toMatchObject({ code: 0 }),
    );
    console.log(`a connection made ${beganAfterMs.toFixed()} ms after the change met the new ${keyType} key`);
    expect(beganAfterMs).toBeLessThan(1_000);
    expect(slow.child.exitCode).toBe(null);

    const old = await sftp(contract, { key, knownHosts: before }, 'pwd\n');
    expect(old.code).not.toBe(0);
    expect(old.stderr).toMatch(/Host key verification failed|no matching host key type/i);
    expect(readFileSync(after, 'utf8').trim().split('\n')).toHaveLength(1);

    expect(await slow.exited).toBe(0);
    expect(bytes.equals(readFileSync(target))).toBe(true);
  },
);
