import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { createPassivePorts, type PassivePort } from './passive-ports.ts';

const size = 40;

/** Ports in a row, most of which are free. */
async function someRange(): Promise<{ from: number; to: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const from = Math.min(port, 65_536 - size);
  return { from, to: from + size - 1 };
}

test('one account holds half of the ports at most, and what it gives back is there again', async () => {
  const range = await someRange();
  const ports = createPassivePorts(() => 0);
  const opened: PassivePort[] = [];
  const open = async (holder: string): Promise<boolean> => {
    const port = await ports.open({ range, host: '127.0.0.1', peer: '127.0.0.1', holder });
    if (port) opened.push(port);
    return port !== undefined;
  };
  try {
    for (let asked = 0; asked < size; asked++) await open('greedy');
    expect(opened).toHaveLength(size / 2);
    expect(await open('other')).toBe(true);
    opened[0]?.close();
    opened[0]?.close();
    expect([await open('greedy'), await open('greedy')]).toEqual([true, false]);
  } finally {
    for (const port of opened) port.close();
  }
});

test('processes that serve alike divide the range among them, unless it is too small for that', async () => {
  const range = await someRange();
  const opened: PassivePort[] = [];
  const portsOf = async (index: number, of: number, within: typeof range): Promise<number[]> => {
    const ports = createPassivePorts(() => 0.99, { index, of });
    const numbers: number[] = [];
    for (let holder = 0; holder < size; holder++) {
      const port = await ports.open({
        range: within,
        host: '127.0.0.1',
        peer: '127.0.0.1',
        holder: `${holder}`,
      });
      if (!port) continue;
      opened.push(port);
      numbers.push(port.port - range.from);
    }
    return numbers;
  };
  try {
    const shares = [];
    for (const index of [0, 1, 2]) shares.push(await portsOf(index, 3, { ...range, to: range.from + 3 }));
    shares.forEach((share, index) => {
      for (const number of share) expect(number % 3).toBe(index);
    });
    expect(Math.max(...shares.flat())).toBeLessThanOrEqual(3);
    for (const port of opened.splice(0)) port.close();
    expect((await portsOf(2, 3, { ...range, to: range.from + 1 })).every((number) => number <= 1)).toBe(true);
  } finally {
    for (const port of opened) port.close();
  }
});
