import { packSerials, readSerials } from '@sallyport/pki';
import { expect, test } from 'vitest';
import { createCrlWatch, type StaleCrl } from './crl-watch.ts';
import type { CrlRule } from './zone-view.ts';

const start = Date.parse('2026-06-01T00:00:00Z');
const serials = readSerials(packSerials(['01']));

const rule = (number: string | undefined, nextUpdate = start): CrlRule => ({
  id: 'crt-ca',
  ca: { subject: 'CN=CA', subjectDer: Uint8Array.of(1), key: {} as CrlRule['ca']['key'] },
  onStaleCrl: 'accept-with-alarm',
  ...(number === undefined || !serials.ok
    ? {}
    : { list: { number, nextUpdate: new Date(nextUpdate), serials: serials.value } }),
});

test('a list that ends is told once, and again only when another one ends', () => {
  const told: StaleCrl[] = [];
  let now = start - 1;
  const look = createCrlWatch(
    () => now,
    (stale) => told.push(stale),
  );
  const one = { crlRules: [rule('1')] };
  look(one);
  expect(told).toEqual([]);
  now = start + 1;
  look(one);
  look({ crlRules: [rule('1')] });
  expect(told).toEqual([
    {
      ca: 'crt-ca',
      subject: 'CN=CA',
      onStaleCrl: 'accept-with-alarm',
      number: '1',
      nextUpdate: '2026-06-01T00:00:00.000Z',
    },
  ]);
  look({ crlRules: [rule('2', start + 10)] });
  expect(told).toHaveLength(1);
  now = start + 11;
  look({ crlRules: [rule('2', start + 10)] });
  expect(told.map(({ number }) => number)).toEqual(['1', '2']);
});

test('a list that never came is told too', () => {
  const told: StaleCrl[] = [];
  const look = createCrlWatch(
    () => start,
    (stale) => told.push(stale),
  );
  look({ crlRules: [rule(undefined)] });
  look({ crlRules: [rule(undefined)] });
  expect(told).toEqual([{ ca: 'crt-ca', subject: 'CN=CA', onStaleCrl: 'accept-with-alarm' }]);
});
