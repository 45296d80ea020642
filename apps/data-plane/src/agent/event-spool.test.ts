import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventBatch } from '@sallyport/model';
import { expect, test } from 'vitest';
import { type EventSpool, openEventSpool } from './event-spool.ts';

async function openSpool() {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-spool-'));
  const open = () => openEventSpool(folder, Date.now, () => {});
  return { folder, open, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Delivers everything, as the reporter does; the bytes of the largest request and the paths it brought. */
async function deliver(spool: EventSpool) {
  let largest = 0;
  const paths: unknown[] = [];
  for (let batch = await spool.oldest(); batch; batch = await spool.oldest()) {
    const body = eventBatch.parse({ sequence: 1, events: batch.events });
    largest = Math.max(largest, Buffer.byteLength(JSON.stringify(body)));
    paths.push(...body.events.map((event) => event.detail?.path));
    await spool.remove(batch);
  }
  return { largest, paths };
}

const transfer = (path: string) => ({
  kind: 'transfer' as const,
  outcome: 'completed' as const,
  detail: { path },
});

test('no paths that a client chooses make a request larger than the control plane takes', async () => {
  await using spooled = await openSpool();
  const spool = await spooled.open();
  const path = '\u0001'.repeat(4_000);
  for (let added = 0; added < 400; added++) spool.add(transfer(path));
  const { largest, paths } = await deliver(spool);
  expect(paths).toHaveLength(400);
  expect(largest).toBeLessThan(2 << 20);
});

test('events survive a restart, in their order, and files are for their owner alone', async () => {
  await using spooled = await openSpool();
  const before = await spooled.open();
  before.add(transfer('/a'));
  before.add(transfer('/b'));
  await before.flush();
  for (const name of await readdir(spooled.folder)) {
    expect((await stat(join(spooled.folder, name))).mode & 0o777).toBe(0o600);
  }
  const after = await spooled.open();
  after.add(transfer('/c'));
  expect((await deliver(after)).paths).toEqual(['/a', '/b', '/c']);
  expect(await readdir(spooled.folder)).toEqual([]);
});
