// Somebody guesses at a partner's password: after a few wrong ones no password of his is looked at any more, on no
// protocol and on no node of the zone. His key job goes on, and so does whoever comes from elsewhere. An operator unlocks.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../support/process.ts';
import { type CurlTarget, curl } from './support/curl.ts';
import { makePartner, type Partner } from './support/partner.ts';
import {
  type Contract,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { type SecondNode, startSecondNode } from './support/second-node.ts';
import { sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 150_000 });

let quickstart: Quickstart;
let demo: Demo;
let second: SecondNode;
let partner: Partner;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  second = await startSecondNode(quickstart);
  const { api } = quickstart;
  const { version } = await api.loginSettings();
  const lockout = {
    accountSource: 3,
    source: 50,
    account: null,
    windowSeconds: 3_600,
    blockSeconds: 3_600,
    longestBlockSeconds: 7_200,
    failureDelayMs: 100,
    allow: [],
  };
  await api.changeLoginSettings({ lockout }, version);
  partner = await makePartner(quickstart, demo.zone.id, 'partner');
});
afterAll(async () => {
  await second?.stop();
  await quickstart?.stop();
});

const nodes = (): readonly { contract: Contract; options: readonly string[] }[] => [
  { contract: quickstart.contract, options: [] },
  { contract: second.contract, options: second.sshOptions },
];

async function comesIn(
  { contract, options }: ReturnType<typeof nodes>[number],
  over: 'ssh' | CurlTarget,
  password: string,
  more: readonly string[] = [],
): Promise<boolean> {
  const result =
    over === 'ssh'
      ? await sftp(contract, { user: partner.name, password, options }, 'pwd\n')
      : await curl(contract, over, '', { user: partner.name, password }, more);
  return result.code === 0;
}

const reasonsSince = async (position: number): Promise<string[]> =>
  (await quickstart.api.events(position)).flatMap(({ kind, account, reason, detail }) =>
    kind === 'login' && account === partner.name ? [`${reason} ${detail?.lockout ?? ''}`.trim()] : [],
  );

test('wrong passwords over three protocols are one count, and what follows is refused on both nodes', async () => {
  const [first, other] = nodes();
  if (!first || !other) throw new Error('there are two');
  const before = (await quickstart.api.events(0)).at(-1)?.position ?? 0;
  for (const over of ['ssh', 'ftp', 'https'] as const)
    expect(await comesIn(first, over, 'wrong')).toBe(false);
  const lockedAt = Date.now();
  for (const over of ['ssh', 'ftps', 'https'] as const)
    expect(await comesIn(first, over, partner.password)).toBe(false);

  await eventually(async () => expect(await comesIn(other, 'https', partner.password)).toBe(false), {
    timeoutMs: 15_000,
  });
  console.log(`felt on the other node after ${Date.now() - lockedAt} ms at most`);
  for (const over of ['ssh', 'ftp'] as const)
    expect(await comesIn(other, over, partner.password)).toBe(false);

  await eventually(
    async () => {
      const reasons = await reasonsSince(before);
      expect(reasons.filter((reason) => reason === 'password-wrong')).toHaveLength(3);
      expect(reasons.filter((reason) => reason === 'locked-out account-source').length).toBeGreaterThan(5);
    },
    { timeoutMs: 10_000 },
  );
});

test('his key and his certificate still let him in, and so does his password from elsewhere', async () => {
  for (const at of nodes()) {
    const byKey = { user: partner.name, key: partner.key, options: at.options };
    expect(await sftp(at.contract, byKey, 'pwd\n')).toMatchObject({ code: 0 });
    const { name: user, certificate } = partner;
    expect(await curl(at.contract, 'https', '', { user, certificate })).toMatchObject({ code: 0 });
    expect(await comesIn(at, 'https', partner.password, ['--interface', '127.0.0.2'])).toBe(true);
  }
});

test('unlocking lets him in again everywhere, and what was counted is forgotten', async () => {
  const { api } = quickstart;
  const locked = await api.lockouts.list({ zone: demo.zone.id });
  expect(locked).toMatchObject([{ counter: 'account-source', account: partner.name, source: '127.0.0.1' }]);
  for (const { id } of locked) await api.lockouts.remove(id);
  for (const at of nodes()) {
    await eventually(async () => expect(await comesIn(at, 'https', partner.password)).toBe(true), {
      timeoutMs: 15_000,
    });
    for (let n = 0; n < 2; n++) expect(await comesIn(at, 'ftp', 'wrong')).toBe(false);
    for (const over of ['ssh', 'ftp', 'https'] as const)
      expect(await comesIn(at, over, partner.password)).toBe(true);
  }
  expect(await api.lockouts.list({ zone: demo.zone.id })).toEqual([]);
});

test('nobody who is allowed for is locked out', async () => {
  const { api } = quickstart;
  const { version, lockout } = await api.loginSettings();
  await api.changeLoginSettings({ lockout: { ...lockout, allow: ['127.0.0.0/8'] } }, version);
  const { changeSequence } = await api.accounts.create({ name: 'waited-for', zones: [demo.zone.id] });
  await untilLive(quickstart, demo.zone.id, changeSequence);
  for (const at of nodes()) {
    for (let n = 0; n < 5; n++) expect(await comesIn(at, 'https', 'wrong')).toBe(false);
    expect(await comesIn(at, 'https', partner.password)).toBe(true);
  }
});
