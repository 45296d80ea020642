import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { type ControlSessions, createControlSessions } from './control-sessions.ts';
import { createTlsMemories } from './memories.ts';

const now = () => 1_000_000_000;
const id = Buffer.alloc(32, 7);
const anna = { account: 'acc-anna', source: '192.0.2.1' };
const berta = { account: 'acc-berta', source: '192.0.2.1' };
const resumed = { isSessionReused: () => true } as TLSSocket;

function opened(memories: ReturnType<typeof createTlsMemories>) {
  const sessions = createControlSessions(memories, now);
  const events = new EventEmitter();
  sessions.attach(events);
  return { sessions, events };
}

/** A client asks for a session by its id: was one found? */
const asksFor = (events: EventEmitter): Promise<boolean> =>
  new Promise((resolve) => {
    events.emit('resumeSession', id, (_: null, session: Buffer | null) => resolve(session !== null));
  });

/** Whose session it is that a data connection takes up by the same id. */
async function ofData(sessions: ControlSessions, holder: typeof anna) {
  const events = new EventEmitter();
  sessions.attach(events);
  expect(await sessions.duringData(() => asksFor(events))).toBe(true);
  return sessions.dataSession(resumed, holder);
}

async function annaLoggedIn() {
  const memories = createTlsMemories({ now });
  const { sessions, events } = opened(memories);
  events.emit('newSession', id, Buffer.from('session'), () => {});
  sessions.shaken('new');
  sessions.bind(anna);
  expect(await ofData(sessions, anna)).toBe('own');
  return memories;
}

test('a session becomes that of a control connection by its resumption alone, not by the mention of its id', async () => {
  const memories = await annaLoggedIn();
  const { sessions, events } = opened(memories);
  expect(await asksFor(events)).toBe(true);
  sessions.shaken('new');
  sessions.bind(berta);
  expect(await ofData(sessions, berta)).toBe('foreign');
});

test('nor by the resumption of another one, by ticket', async () => {
  const memories = await annaLoggedIn();
  const { sessions, events } = opened(memories);
  const { secret, ...name } = opened(memories).sessions.tickets.seal();
  expect(await asksFor(events)).toBe(true);
  expect(sessions.tickets.open({ ...name, secretId: secret.id })).toBeDefined();
  sessions.shaken('resumed');
  sessions.bind(berta);
  expect(await ofData(sessions, berta)).toBe('foreign');
});

test('who has its secrets may log in as another with it', async () => {
  const memories = await annaLoggedIn();
  const { sessions, events } = opened(memories);
  expect(await asksFor(events)).toBe(true);
  sessions.shaken('resumed');
  sessions.bind(berta);
  expect(await ofData(sessions, berta)).toBe('own');
});
