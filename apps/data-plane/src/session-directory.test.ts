import type { LiveSession } from '@sallyport/model';
import { expect, it } from 'vitest';
import { createSessionDirectory } from './session-directory.ts';

const session = (number: number): LiveSession => ({
  id: `00000000-0000-4000-8000-00000000000${number}`,
  server: 'srv',
  protocol: 'ssh',
  account: 'anna',
  source: '192.0.2.1',
  since: '2026-01-01T00:00:00Z',
  proofs: ['password'],
  outdated: false,
});
const [first, second, third] = [session(1), session(2), session(3)];

it('holds an account to its sessions, whichever process serves them', async () => {
  const directory = createSessionDirectory();
  const [one, two] = [directory.forProcess().places, directory.forProcess().places];
  expect(await one.enter(first, 'acc', 2)).toBe(true);
  expect(await two.enter(second, 'acc', 2)).toBe(true);
  expect(await two.enter(third, 'acc', 2)).toBe(false);
  expect(await two.enter(third, 'other', 2)).toBe(true);
  two.leave(first.id);
  expect(await one.enter(session(4), 'acc', 2)).toBe(false);
  one.leave(first.id);
  expect(await one.enter(session(4), 'acc', 2)).toBe(true);
});

it('lets no process take up a session that the operator has ended', async () => {
  const denied = new Set<string>();
  const directory = createSessionDirectory({ denied: (id) => denied.has(id) });
  const [one, two] = [directory.forProcess(), directory.forProcess()];
  expect(await one.places.enter(first, 'acc', 2)).toBe(true);
  denied.add(first.id);
  expect(await two.places.enter(first, 'acc', 2)).toBe(false);
  one.lost();
  expect(await two.places.enter(first, 'acc', 2)).toBe(false);
  expect(await two.places.enter(second, 'acc', 2)).toBe(true);
});

it('tells of all of them, the oldest first, and when that changes', async () => {
  const directory = createSessionDirectory();
  const [one, two] = [directory.forProcess().places, directory.forProcess().places];
  await two.enter(second, 'acc', 5);
  await one.enter(first, 'acc', 5);
  expect(directory.report()).toEqual({ total: 2, items: [second, first] });
  const { changes } = directory;
  one.mark(first.id, false);
  one.mark(second.id, true);
  expect(directory.changes).toBe(changes);
  one.mark(first.id, true);
  expect(directory.report().items.map(({ outdated }) => outdated)).toEqual([false, true]);
  one.leave(first.id);
  one.leave(first.id);
  expect(directory.changes).toBe(changes + 2);
});

it('strikes the sessions of a process that is gone, says which, and takes no more of it', async () => {
  const ended: unknown[] = [];
  const directory = createSessionDirectory({ ended: (...told) => ended.push(told) });
  const [one, two] = [directory.forProcess(), directory.forProcess()];
  await one.places.enter(first, 'acc', 2);
  await two.places.enter(second, 'acc', 2);
  one.lost();
  expect(ended).toEqual([[first, 'process-lost']]);
  expect(directory.report()).toEqual({ total: 1, items: [second] });
  expect(await one.places.enter(third, 'acc', 2)).toBe(false);
  expect(await two.places.enter(third, 'acc', 2)).toBe(true);
  one.lost();
  expect(ended).toHaveLength(1);
});

it('knows a session that two processes serve for one, which is over when one of them ends it', async () => {
  const ended: unknown[] = [];
  const elsewhere: string[] = [];
  const directory = createSessionDirectory({
    ended: ({ id }, reason) => ended.push([id, reason]),
    endElsewhere: (id) => elsewhere.push(id),
  });
  const [one, two, three] = [directory.forProcess(), directory.forProcess(), directory.forProcess()];
  for (const { places } of [one, two, three]) expect(await places.enter(first, 'acc', 1)).toBe(true);
  expect(await two.places.enter(first, 'acc', 1)).toBe(false);
  expect(directory.report().total).toBe(1);
  one.lost();
  expect([directory.report().total, ended]).toEqual([1, []]);
  two.places.leave(first.id, 'idle');
  three.places.leave(first.id);
  expect(ended).toEqual([[first.id, 'idle']]);
  expect(elsewhere).toEqual([first.id]);
  expect(await three.places.enter(second, 'acc', 1)).toBe(true);
  expect(await two.places.enter(second, 'other', 1)).toBe(false);
});
