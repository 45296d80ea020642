import { type LockoutSettings, lockoutSettings } from '@sallyport/model';
import type { DenyListDocument } from '@sallyport/snapshot/node';
import { expect, test } from 'vitest';
import { createLockouts, type LockoutBlock, type LoginKey, lockoutName } from './lockouts.ts';

const anna = (source = '192.0.2.1'): LoginKey => ({ name: 'anna', source, account: 'known' });
const nobody = (name: string, source = '192.0.2.1'): LoginKey => ({ name, source, account: 'unknown' });

function counting(settings: Partial<LockoutSettings> = {}) {
  const blocks: LockoutBlock[] = [];
  let time = 0;
  const lockouts = createLockouts({
    settings: () => lockoutSettings.parse({ accountSource: 3, source: 5, account: 7, ...settings }),
    now: () => time,
    began: (block) => blocks.push(block),
  });
  return {
    lockouts,
    blocks,
    at(seconds: number) {
      time = seconds * 1000;
    },
    async fail(key: LoginKey, times: number) {
      for (let n = 0; n < times; n++) await lockouts.failed(key);
    },
    async verdict(key: LoginKey) {
      const verdict = await lockouts.check(key);
      return verdict.kind === 'open' ? 'open' : verdict.counter;
    },
  };
}

test('an account from one source, a source, and an account are counted each on its own', async () => {
  const one = counting();
  await one.fail(anna(), 3);
  expect(await one.verdict(anna())).toBe('account-source');
  expect(await one.verdict(anna('192.0.2.2'))).toBe('open');
  expect(await one.verdict(nobody('berta'))).toBe('open');
  await one.fail(nobody('berta'), 2);
  expect(await one.verdict(nobody('carla'))).toBe('source');
  for (const source of ['198.51.100.1', '198.51.100.2']) await one.fail(anna(source), 1);
  expect(await one.verdict(anna('203.0.113.1'))).toBe('open');
  await one.fail(anna('198.51.100.3'), 2);
  expect(await one.verdict(anna('203.0.113.1'))).toBe('account');
  expect(await one.verdict(nobody('carla', '203.0.113.1'))).toBe('open');
  expect(one.blocks).toEqual([
    { target: { counter: 'account-source', account: 'anna', source: '192.0.2.1' }, until: 60_000 },
    { target: { counter: 'source', source: '192.0.2.1' }, until: 60_000 },
    { target: { counter: 'account', account: 'anna' }, until: 60_000 },
  ]);
});

test('a block ends by itself, and the next one is longer', async () => {
  const one = counting();
  await one.fail(anna(), 3);
  one.at(60);
  expect(await one.verdict(anna())).toBe('open');
  await one.fail(anna(), 3);
  expect(one.blocks.at(-1)?.until).toBe(60_000 + 120_000);
});

test('names that are no accounts are never counted by name alone', async () => {
  const one = counting({ accountSource: null, source: null, account: 1 });
  await one.fail(nobody('root'), 10);
  expect(one.blocks).toEqual([]);
});

test('an admitted login forgets its own failures and nobody else’s', async () => {
  const one = counting();
  await one.fail(anna(), 2);
  await one.lockouts.succeeded(anna());
  await one.fail(anna(), 2);
  expect(await one.verdict(anna())).toBe('open');
  await one.fail(nobody('berta'), 1);
  expect(await one.verdict(anna())).toBe('source');
});

test('one IPv6 network is one source', async () => {
  const one = counting();
  await one.fail(anna('2001:db8::1'), 2);
  await one.fail(anna('2001:db8::2'), 1);
  expect(await one.verdict(anna('2001:db8::3'))).toBe('account-source');
  expect(one.blocks).toMatchObject([{ target: { source: '2001:db8:0:0::/64' } }]);
});

test('who is allowed for is neither counted nor blocked', async () => {
  const one = counting({ allow: ['192.0.2.0/24'] });
  await one.fail(anna(), 10);
  expect(one.blocks).toEqual([]);
  await one.fail(anna('198.51.100.1'), 5);
  await one.fail(anna('198.51.100.2'), 5);
  one.lockouts.enforce({ entries: [{ type: 'account', account: 'anna', until: '2100-01-01T00:00:00Z' }] });
  expect(await one.verdict(anna('203.0.113.1'))).toBe('account');
  expect(await one.verdict(anna())).toBe('open');
});

test('the zone’s list adds its blocks until they end or are gone from it', async () => {
  const one = counting();
  const until = '1970-01-01T00:01:00Z';
  one.lockouts.enforce({
    entries: [
      { type: 'session', session: 'x', until },
      { type: 'account-source', account: 'anna', source: '192.0.2.1', until },
      { type: 'source', source: '192.0.2.9', until },
      { type: 'account', account: 'berta', until },
    ],
  });
  const berta: LoginKey = { name: 'berta', source: '203.0.113.1', account: 'known' };
  expect(await one.verdict(anna())).toBe('account-source');
  expect(await one.verdict(nobody('x', '192.0.2.9'))).toBe('source');
  expect(await one.verdict(berta)).toBe('account');
  one.at(60);
  expect(await one.verdict(anna())).toBe('open');
  one.at(0);
  one.lockouts.enforce({ entries: [] });
  expect(await one.verdict(berta)).toBe('open');
});

test('an unlock forgets the block that was counted here, once', async () => {
  const one = counting();
  await one.fail(anna(), 3);
  const unlock: DenyListDocument['entries'] = [
    {
      type: 'unlock',
      target: { counter: 'account-source', account: 'anna', source: '192.0.2.1' },
      at: '1970-01-01T00:00:01Z',
      until: '1970-01-02T00:00:00Z',
    },
  ];
  one.lockouts.enforce({ entries: unlock });
  expect(await one.verdict(anna())).toBe('open');
  // The list comes again with other news: who was locked out since then stays so.
  await one.fail(anna(), 3);
  one.lockouts.enforce({ entries: unlock });
  expect(await one.verdict(anna())).not.toBe('open');
});

test('names are counted as they are reported', () => {
  expect(lockoutName(`${'x'.repeat(79)}😀`)).toBe(`${'x'.repeat(79)}\ufffd`);
  expect(lockoutName('a\0b')).toBe('a␀b');
});
