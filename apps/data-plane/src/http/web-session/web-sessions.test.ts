import { afterEach, expect, it, vi } from 'vitest';
import type { EndReason, Session } from '../../session.ts';
import { webSessionsInMemory } from './store.ts';
import { createWebSessions } from './web-sessions.ts';

const binding = { server: 'srv', network: '192.0.2.1', credential: undefined };
const idleMs = 60_000;

afterEach(() => vi.useRealTimers());

/** A session as one process serves it; `others` are its copies elsewhere. */
function sessionWith(id: string) {
  const controller = new AbortController();
  const close = vi.fn();
  const session = {
    id,
    account: { id: 'acc', name: 'anna' },
    admission: { home: '/anna' },
    proofs: ['password'],
    ended: controller.signal,
    close,
  } as unknown as Session;
  return { session, close, end: (reason: EndReason) => controller.abort(reason) };
}

/** Two processes that share a store. */
function twoProcesses() {
  vi.useFakeTimers();
  const store = webSessionsInMemory();
  const original = sessionWith('one');
  const copy = sessionWith('one');
  const resume = vi.fn(async () => copy.session as Session | undefined);
  const now = Date.now;
  const first = createWebSessions({ store, now });
  const second = createWebSessions({ store, now, resume });
  return { store, original, copy, resume, first, second };
}

it('finds a session in a process that did not begin it, opened there once', async () => {
  const { first, second, original, resume } = twoProcesses();
  const cookie = (await first.begin(original.session, binding, idleMs)) as string;
  const found = await Promise.all([
    second.find(cookie, binding, idleMs),
    second.find(cookie, binding, idleMs),
  ]);
  expect(found.map((one) => one?.session.id)).toEqual(['one', 'one']);
  await second.find(cookie, binding, idleMs);
  expect(resume).toHaveBeenCalledOnce();
  expect(resume).toHaveBeenCalledWith('one', { home: '/anna' }, undefined);
  expect(found[0]?.token).toBe((await first.find(cookie, binding, idleMs))?.token);
});

it('opens it for nobody from elsewhere, and not where it may not go on', async () => {
  const { first, second, original, resume } = twoProcesses();
  const cookie = (await first.begin(original.session, binding, idleMs)) as string;
  expect(await second.find(cookie, { ...binding, network: '192.0.2.9' }, idleMs)).toBeUndefined();
  expect(await second.find('guessed', binding, idleMs)).toBeUndefined();
  expect(resume).not.toHaveBeenCalled();
  resume.mockResolvedValueOnce(undefined);
  expect(await second.find(cookie, binding, idleMs)).toBeUndefined();
  expect(await first.find(cookie, binding, idleMs)).toBeDefined();
});

it('is signed out everywhere at once', async () => {
  const { first, second, original, copy } = twoProcesses();
  const cookie = (await first.begin(original.session, binding, idleMs)) as string;
  await second.find(cookie, binding, idleMs);
  await second.end(cookie);
  expect(copy.close).toHaveBeenCalledOnce();
  expect(await first.find(cookie, binding, idleMs)).toBeUndefined();
  expect(original.close).toHaveBeenCalledOnce();
});

it('is not idle while another process is asked, or sends a long download', async () => {
  const { first, second, original, copy } = twoProcesses();
  const cookie = (await first.begin(original.session, binding, idleMs)) as string;
  await first.find(cookie, binding, idleMs);
  const release = (await second.find(cookie, binding, idleMs))?.hold();
  await vi.advanceTimersByTimeAsync(10 * idleMs);
  expect(original.close).not.toHaveBeenCalled();
  release?.();
  await vi.advanceTimersByTimeAsync(2 * idleMs);
  expect(original.close).toHaveBeenCalled();
  expect(copy.close).toHaveBeenCalled();
  expect(await second.find(cookie, binding, idleMs)).toBeUndefined();
});

it('ends where nobody comes with its cookie at all', async () => {
  const { first, original } = twoProcesses();
  await first.begin(original.session, binding, idleMs);
  await vi.advanceTimersByTimeAsync(idleMs);
  expect(original.close).toHaveBeenCalledOnce();
});

it('is kept alive by no cookie that is used elsewhere, and by none that came too late', async () => {
  const { first, second, original, resume } = twoProcesses();
  const cookie = (await first.begin(original.session, binding, idleMs)) as string;
  // The process that began it is gone: its timers do not run.
  vi.setSystemTime(Date.now() + idleMs / 2);
  expect(await second.find(cookie, { ...binding, network: '192.0.2.9' }, idleMs)).toBeUndefined();
  vi.setSystemTime(Date.now() + idleMs / 2);
  for (let n = 0; n < 2; n++) expect(await second.find(cookie, binding, idleMs)).toBeUndefined();
  expect(resume).not.toHaveBeenCalled();
});
