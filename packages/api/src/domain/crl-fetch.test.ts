import { createCa, createCrl, type Issuer, toPem } from '@sallyport/pki';
import { listAudit } from '@sallyport/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type InProcess, inProcess } from '../fixture/in-process.ts';
import { fetchDueCrls } from './crl-fetch.ts';
import { runDueWork } from './due-work.ts';

const minute = 60_000;
const hour = 60 * minute;

let plane: InProcess & { close(): void };
let ca: Issuer;
let id: string;
let answer: () => Promise<Response>;
let asked: number;
beforeEach(async () => {
  asked = 0;
  plane = await inProcess({
    lists: {
      innerAddresses: 'refused',
      request: async () => {
        asked++;
        return answer();
      },
    },
  });
  const validity = {
    notBefore: new Date(plane.clock.now - hour),
    notAfter: new Date(plane.clock.now + 9e9),
  };
  ca = await createCa({ commonName: 'Partner', keyType: 'ecdsa-p256', ...validity });
  const body = {
    source: 'import',
    kind: 'trusted',
    alias: 'partner',
    text: toPem('CERTIFICATE', ca.certificate),
  };
  id = (await plane.call('POST /v1/certificates', { body })).body.id;
  const settings = { revocation: 'crl', crlUrl: 'http://ca.example/a.crl' };
  expect((await plane.call(`PATCH /v1/certificates/${id}`, { body: settings, version: 1 })).status).toBe(200);
});
afterEach(() => plane.close());

const list = async (number: number, hours: number): Promise<Response> => {
  const { now } = plane.clock;
  const times = { thisUpdate: new Date(now - minute), nextUpdate: new Date(now + hours * hour) };
  return new Response(await createCrl(ca, { number: BigInt(number), ...times, entries: [] }));
};
const state = async () => (await plane.call(`GET /v1/certificates/${id}/crl`)).body;
const pause = async (): Promise<number> => Date.parse((await state()).fetch.nextAt) - plane.clock.now;
const told = async (): Promise<string[]> =>
  (await listAudit(plane.deps.store.queries, 0, 500))
    .map(({ action }) => action)
    .filter((action) => action.startsWith('crl.'));

test('the timer fetches a list when half of it is over, or six hours at the latest', async () => {
  answer = () => list(1, 4);
  await runDueWork(plane.deps);
  expect(await state()).toMatchObject({ list: { number: '1', source: 'fetched' } });
  expect(await pause()).toBeGreaterThan(1.7 * hour);
  expect(await pause()).toBeLessThan(2.3 * hour);
  await runDueWork(plane.deps);
  expect(asked).toBe(1);
  plane.clock.now += 2.3 * hour;
  answer = () => list(2, 100);
  await runDueWork(plane.deps);
  expect(await state()).toMatchObject({ list: { number: '2' } });
  expect(await pause()).toBeLessThan(6.7 * hour);
  expect(await told()).toEqual(['crl.fetched', 'crl.fetched']);
});

test('after a failure it asks again ever later, tells of it once, and once more for another reason', async () => {
  answer = async () => new Response(null, { status: 503 });
  const pauses: number[] = [];
  for (let i = 0; i < 9; i++) {
    await fetchDueCrls(plane.deps);
    pauses.push(await pause());
    plane.clock.now += (pauses.at(-1) as number) + 1;
  }
  expect(pauses[0]).toBeLessThan(1.2 * minute);
  expect(pauses[3]).toBeGreaterThan(4 * minute);
  expect(Math.max(...pauses)).toBeLessThan(67 * minute);
  expect(pauses.at(-1)).toBeGreaterThan(50 * minute);
  expect(await told()).toEqual(['crl.fetch-failed']);
  answer = async () => new Response('<html>');
  await fetchDueCrls(plane.deps);
  expect(await told()).toEqual(['crl.fetch-failed', 'crl.fetch-failed']);
  expect((await state()).fetch.failure).toMatch(/^crl-malformed: /);
  expect(plane.logged).toEqual([]);
});

test('of several processes one goes', async () => {
  answer = () => list(1, 4);
  await Promise.all(Array.from({ length: 5 }, () => fetchDueCrls(plane.deps)));
  expect(asked).toBe(1);
});

test('another URL is asked at once', async () => {
  answer = () => list(1, 4);
  await fetchDueCrls(plane.deps);
  const body = { crlUrl: 'http://ca.example/b.crl' };
  await plane.call(`PATCH /v1/certificates/${id}`, { body, version: 2 });
  await fetchDueCrls(plane.deps);
  expect(asked).toBe(2);
});

test('a list of our own is signed again before it ends, with a higher number', async () => {
  const [own] = (await plane.call('GET /v1/certificates?kind=internal-ca')).body.items;
  const held = async () => (await plane.call(`GET /v1/certificates/${own.id}/crl`)).body.list;
  await runDueWork(plane.deps);
  const first = await held();
  expect(first).toMatchObject({ source: 'issued', number: '1', entries: 0 });
  await runDueWork(plane.deps);
  expect(await held()).toEqual(first);
  plane.clock.now += 4 * 24 * hour;
  await runDueWork(plane.deps);
  expect(await held()).toMatchObject({ number: '2', stale: false });
});
