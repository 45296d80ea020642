import { expect, it } from 'vitest';
import { createConnectionGate, ownConnections } from './connection-gate.ts';

const limits = { maxConnections: 3, maxConnectionsPerAddress: 2, connectionsPerMinutePerAddress: 100 };

it('counts what several processes let in as one, for each server', async () => {
  const shared = createConnectionGate(() => 0);
  const [one, two] = [ownConnections(shared), ownConnections(shared)];
  expect(await one.gate.enter('srv', 'a', limits)).toBe('entered');
  expect(await two.gate.enter('srv', 'a', limits)).toBe('entered');
  expect(await two.gate.enter('srv', 'a', limits)).toBe('connection-limit');
  expect(await two.gate.enter('other', 'a', limits)).toBe('entered');
  expect(await one.gate.enter('srv', 'b', limits)).toBe('entered');
  expect(await one.gate.enter('srv', 'c', limits)).toBe('connection-limit');
  two.gate.leave('srv', 'a');
  expect(await one.gate.enter('srv', 'c', limits)).toBe('entered');
});

it('counts nothing of a process that is gone, and takes back nothing that it did not let in', async () => {
  const shared = createConnectionGate(() => 0);
  const [one, two] = [ownConnections(shared), ownConnections(shared)];
  for (const own of [one, two]) await own.gate.enter('srv', 'a', limits);
  one.gate.leave('srv', 'b');
  one.release();
  one.gate.leave('srv', 'a');
  expect(await two.gate.enter('srv', 'a', limits)).toBe('entered');
  expect(await two.gate.enter('srv', 'a', limits)).toBe('connection-limit');
});

it('knows a source for its pace after it has gone', async () => {
  const gate = createConnectionGate(() => 0);
  const paced = { ...limits, connectionsPerMinutePerAddress: 2 };
  const comeAndGo = async (server: string) => {
    const verdict = await gate.enter(server, 'a', paced);
    if (verdict === 'entered') gate.leave(server, 'a');
    return verdict;
  };
  expect([await comeAndGo('srv'), await comeAndGo('srv'), await comeAndGo('srv')]).toEqual([
    'entered',
    'entered',
    'connection-rate',
  ]);
  expect(await comeAndGo('other')).toBe('entered');
});
