import { expect, it, vi } from 'vitest';
import { type ConnectionGate, createConnectionGate } from '../connection-gate.ts';
import { createLink, type Link, type LinkOptions } from './link.ts';
import { remotePort } from './remote-port.ts';

type Echo = { echo(value: unknown): Promise<unknown>; fail(): Promise<never>; note(value: unknown): void };
const asEcho = { echo: 'ask', fail: 'ask', note: 'tell' } as const;

/** Two ends of a channel that clones as the real one does. */
function pair(ports: LinkOptions['ports'], options: Partial<LinkOptions> = {}) {
  const ends: Link[] = [];
  const to =
    (other: 0 | 1): LinkOptions['send'] =>
    (message, sent) =>
      setImmediate(() => {
        sent();
        ends[other]?.take(structuredClone(message));
      });
  const here = createLink({ send: to(1), ports: {}, ...options });
  const there = createLink({ send: to(0), ports, ...options });
  ends.push(here, there);
  return { here, there };
}

it('asks and tells a port of the other process, with bytes as bytes', async () => {
  const noted: unknown[] = [];
  const { here } = pair({
    echo: { echo: async (value: unknown) => value, note: (value: unknown) => noted.push(value) },
  });
  const remote = remotePort<Echo>(here, 'echo', asEcho);
  remote.note('first');
  expect(
    await Promise.all([remote.echo(1), remote.echo(new Uint8Array([2])), remote.echo(undefined)]),
  ).toEqual([1, new Uint8Array([2]), undefined]);
  expect(noted).toEqual(['first']);
});

it('answers a method that throws, one that there is not, and one that the port only inherits, with a failure', async () => {
  const onFailure = vi.fn();
  const { here } = pair(
    { echo: { fail: () => Promise.reject(new Error('a secret of the other side')) } },
    { onFailure },
  );
  const remote = remotePort<Echo>(here, 'echo', asEcho);
  await expect(remote.fail()).rejects.toThrow('the other process could not do it');
  await expect(remote.echo(1)).rejects.toThrow('could not');
  for (const [port, method] of [
    ['echo', 'toString'],
    ['__proto__', 'toString'],
    ['constructor', 'keys'],
  ] as const)
    await expect(here.ask(port, method, [])).rejects.toThrow('could not');
  remote.note(1);
  await vi.waitFor(() => expect(onFailure).toHaveBeenCalledWith('echo', 'note'));
});

it('lets no more questions wait than it may, and none once the other process is gone', async () => {
  const { here } = pair({ echo: { echo: () => new Promise(() => {}) } }, { maxPending: 2 });
  const remote = remotePort<Echo>(here, 'echo', asEcho);
  const waiting = [remote.echo(1), remote.echo(2)];
  await expect(remote.echo(3)).rejects.toThrow('too many');
  here.lost();
  for (const one of waiting) await expect(one).rejects.toThrow('gone');
  await expect(remote.echo(4)).rejects.toThrow('gone');
});

it('takes what is no message, and answers to nothing asked, for nothing', () => {
  const { here } = pair({});
  for (const odd of [undefined, null, 1, 'ask', {}, { kind: 'other' }, { kind: 'answer', id: 7, value: 1 }])
    here.take(odd);
  expect(here.backlog).toBe(0);
});

it('knows what has not left yet', async () => {
  const { here } = pair({ echo: { echo: async () => 1 } });
  const asked = here.ask('echo', 'echo', []);
  expect(here.backlog).toBe(1);
  await asked;
  expect(here.backlog).toBe(0);
});

it('carries the counting of connections', async () => {
  const { here } = pair({ connections: createConnectionGate(() => 0) });
  const gate = remotePort<ConnectionGate>(here, 'connections', { enter: 'ask', leave: 'tell' });
  const limits = { maxConnections: 1, maxConnectionsPerAddress: 1, connectionsPerMinutePerAddress: 10 };
  expect(await gate.enter('srv', 'a', limits)).toBe('entered');
  expect(await gate.enter('srv', 'a', limits)).toBe('connection-limit');
  gate.leave('srv', 'a');
  expect(await gate.enter('srv', 'a', limits)).toBe('entered');
});
