import { diskFileSystem } from '@sallyport/files/disk';
import { modernPolicy, type ServerState, serverCreate, server as serverSchema } from '@sallyport/model';
import { expect, it } from 'vitest';
import { createSessionDirectory } from './session-directory.ts';
import { createSessionRegistry } from './session-registry.ts';
import { viewOf } from './tls/fixture/zone.ts';
import type { ZoneView } from './zone-view.ts';

const end = Date.parse('2026-06-01T12:00:00Z');

async function registry() {
  let now = end - 1_000;
  const view = (state: ServerState): ZoneView => ({
    ...viewOf({}),
    servers: [
      {
        server: serverSchema.parse({
          ...serverCreate.parse({ protocol: 'ssh', name: 'ssh', zone: 'zone', port: 22, state }),
          drainBy: new Date(end).toISOString(),
          id: 'srv',
          version: 1,
          createdAt: '2026-01-01T00:00:00Z',
        }),
        identities: [],
        algorithms: modernPolicy,
      },
    ],
  });
  let current = view('running');
  const directory = createSessionDirectory();
  const sessions = createSessionRegistry(
    () => current,
    () => now,
    {
      transfer: () => {},
      lasting: () => {},
    },
    directory.forProcess().places,
  );
  const session = await sessions.open({
    protocol: 'ssh',
    server: 'srv',
    source: '192.0.2.1',
    channel: 'encrypted',
    account: { id: 'acc', name: 'anna', normalizedName: 'anna' },
    userClass: undefined,
    proofs: ['password'],
    passwordHash: undefined,
    secondFactor: undefined,
    credentialStands: undefined,
    files: diskFileSystem({ home: '/nonexistent', uploadMode: 'staged' }),
    home: '/anna',
    regrant: () => {},
    maxSessions: 1,
  });
  if (!session) throw new Error('not opened');
  return {
    sessions,
    directory,
    session,
    become: (state: ServerState) => {
      current = view(state);
    },
    pass: (ms: number) => {
      now += ms;
      sessions.endOverdue();
    },
  };
}

it('a server that drains lets nothing new begin, and ends what is left at its time', async () => {
  const { session, become, pass } = await registry();
  expect(session.admitsOperations()).toBe(true);
  become('draining');
  expect(session.admitsOperations()).toBe(false);
  pass(500);
  expect(session.ended.aborted).toBe(false);
  pass(500);
  expect(session.ended.reason).toBe('drained');
});

it('a server that runs keeps its sessions, whatever time it had to drain by', async () => {
  const { session, pass } = await registry();
  pass(3_600_000);
  expect(session.ended.aborted).toBe(false);
});

it('a process that is about to end lets nothing new begin', async () => {
  const { session, sessions } = await registry();
  sessions.stopOperations();
  expect(session.admitsOperations()).toBe(false);
  expect(session.ended.aborted).toBe(false);
});

it('sessions are told of with what they rest on, and when they change', async () => {
  const { session, directory } = await registry();
  expect(directory.report()).toEqual({
    total: 1,
    items: [
      {
        id: session.id,
        server: 'srv',
        protocol: 'ssh',
        account: 'anna',
        source: '192.0.2.1',
        since: new Date(end - 1_000).toISOString(),
        proofs: ['password'],
        outdated: false,
      },
    ],
  });
  const { changes } = directory;
  session.close();
  session.close();
  expect(directory.changes).toBe(changes + 1);
  expect(directory.report()).toEqual({ total: 0, items: [] });
});

it('a session that an operator ends is ended, and no other', async () => {
  const { session, sessions } = await registry();
  sessions.endThose(['another'], 'ended-by-operator');
  expect(session.ended.aborted).toBe(false);
  sessions.endThose(['another', session.id], 'ended-by-operator');
  expect(session.ended.reason).toBe('ended-by-operator');
});
