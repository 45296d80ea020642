import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePorts, portsInUse } from './ports.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((closed) => server.close(closed));
});

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
}

/** The same numbers in the same order each time. */
function sequence(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('picks ports that no outgoing connection gets, each for one purpose, and passes over those in use', async () => {
  const first = await freePorts(sequence());
  const { passive, ...single } = first;
  const ports = Object.values(single);
  expect(new Set(ports).size).toBe(5);
  expect(passive.to - passive.from).toBe(99);
  for (const port of [...ports, passive.from, passive.to]) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  }
  for (const port of ports) expect(port < passive.from || port > passive.to).toBe(true);

  await occupy(first.ssh);
  await occupy(passive.from + 50);
  const second = await freePorts(sequence());
  expect(Object.values(second)).not.toContain(first.ssh);
  expect(second.passive.from).not.toBe(passive.from);
});

test('names each port that is in use', async () => {
  const ports = await freePorts(Math.random);
  expect(await portsInUse(ports)).toEqual([]);
  await occupy(ports.ssh);
  await occupy(ports.ftpsImplicit);
  expect(await portsInUse(ports)).toEqual([`ssh ${ports.ssh}`, `ftps (implicit) ${ports.ftpsImplicit}`]);
});
