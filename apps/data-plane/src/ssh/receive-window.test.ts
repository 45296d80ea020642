import { expect, it } from 'vitest';
import { initialWindow, ReceiveWindow } from './receive-window.ts';

/** A client that always has something to send, and a way to it that takes half of the round trip. */
function stream(roundTripMs: number | (() => number), adjustEvery: number, packet: number) {
  let now = 0;
  const window = new ReceiveWindow(() => now);
  let credit = initialWindow;
  let held = 0;
  return {
    window,
    round(): number {
      let sent = 0;
      while (credit > 0) {
        const bytes = Math.min(credit, packet);
        credit -= bytes;
        sent += bytes;
        held += bytes;
        expect(window.receive(bytes)).toBe(true);
        if (held >= adjustEvery) {
          underWay.push(window.open(held, () => true));
          held = 0;
        }
      }
      now += typeof roundTripMs === 'number' ? roundTripMs : roundTripMs();
      for (const adjustment of underWay.splice(0)) credit += adjustment;
      return sent;
    },
  };
}
const underWay: number[] = [];

it('grows for a client that is far away, to sixteen MiB and no further', () => {
  const far = stream(100, 512 * 1024, 32_768);
  for (let round = 0; round < 12; round++) far.round();
  expect(far.window.grown).toBe(14 * 1024 * 1024);
});

it('stays as it is for a client that is near', () => {
  const near = stream(0.2, 512 * 1024, 32_768);
  for (let round = 0; round < 12; round++) near.round();
  expect(near.window.grown).toBe(0);
});

it('stays as it is for a near client on a machine that lets it wait now and then', () => {
  const waits = [80, 0.2, 90, 90, 70, 0.5];
  let at = 0;
  const near = stream(() => waits[at++ % waits.length] ?? 0, 512 * 1024, 32_768);
  for (let round = 0; round < 24; round++) near.round();
  expect(near.window.grown).toBe(0);
});

it('stays as it is for a client that is slow by itself', () => {
  let now = 0;
  const window = new ReceiveWindow(() => now);
  for (let sent = 0; sent < 200; sent++) {
    now += 50;
    expect(window.receive(30_000)).toBe(true);
    window.open(30_000, () => true);
  }
  expect(window.grown).toBe(0);
});

it('grows only with leave, and knows when it is overrun', () => {
  const window = new ReceiveWindow(() => 0);
  expect(window.receive(initialWindow)).toBe(true);
  expect(window.receive(1)).toBe(false);
});
