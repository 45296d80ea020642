// An operator retires a host key without surprising a partner: the next key is announced while the old one is in use,
// OpenSSH learns it, the receipts say who has and who has not, and the switch warns of those who have not.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, temporaryFolder } from '../support/process.ts';
import { makePartner, type Partner } from './support/partner.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { openSftp, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let demo: Demo;
let partner: Partner;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  partner = await makePartner(quickstart, demo.zone.id, 'partner');
});
afterAll(() => quickstart.stop());

const receipts = async () =>
  (await quickstart.api.request({
    method: 'GET',
    path: `/v1/servers/${demo.ssh.id}/host-key-receipts`,
  })) as {
    keys: { certificate: string; fingerprint: string; inUse: boolean }[];
    items: { account: string; missing: string[] }[];
  };

test('a key is retired, and whoever learned the next one passes with strict checking', async () => {
  const { contract, api } = quickstart;
  const [oldKey = ''] = (await api.servers.get(demo.ssh.id)).certificates;
  const next = await api.certificates.create({
    source: 'generate',
    kind: 'local',
    alias: 'ssh-next',
    zones: [demo.zone.id],
    purpose: 'ssh',
    keyType: 'ed25519',
  });
  const announced = await changeServer(quickstart, demo.ssh.id, { certificates: [oldKey, next.id] });
  await untilLive(quickstart, demo.zone.id, announced.changeSequence);

  const known = join(temporaryFolder(), 'known_hosts');
  const before = readFileSync(contract.files.knownHosts, 'utf8');
  writeFileSync(known, before);
  const demoLogin = { key: contract.files.sshKey, knownHosts: known };
  const learning = await openSftp(contract, { ...demoLogin, options: ['-o', 'UpdateHostKeys=yes'] });
  await eventually(async () => expect(readFileSync(known, 'utf8').trim().split('\n')).toHaveLength(2));
  await learning.close();
  const ignorant = { user: 'partner', key: partner.key, options: ['-o', 'UpdateHostKeys=no'] };
  expect(await sftp(contract, ignorant, 'pwd\n')).toMatchObject({ code: 0 });

  const fingerprint = next.key.sshFingerprint;
  await eventually(async () =>
    expect((await receipts()).items).toMatchObject([
      { account: 'demo', missing: [] },
      { account: 'partner', missing: [fingerprint] },
    ]),
  );
  const { version } = await api.servers.get(demo.ssh.id);
  const switched = (await api.request({
    method: 'PATCH',
    path: `/v1/servers/${demo.ssh.id}`,
    body: { certificates: [next.id] },
    version,
  })) as { changeSequence: number; warnings: unknown };
  expect(switched.warnings).toMatchObject([{ code: 'host-key-not-learned', accounts: ['partner'] }]);
  await untilLive(quickstart, demo.zone.id, switched.changeSequence);

  expect(await sftp(contract, demoLogin, 'pwd\n')).toMatchObject({ code: 0 });
  expect((await sftp(contract, ignorant, 'pwd\n')).stderr).toContain('Host key verification failed');
});
