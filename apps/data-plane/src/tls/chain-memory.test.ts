import { utf8 } from '@sallyport/bytes';
import { expect, test } from 'vitest';
import { type ChainMemory, createChainMemory } from './chain-memory.ts';

const key = (leaf: string, trust = 't') => ({ leafSha256: leaf, trustDigest: trust });
const chain = [utf8('leaf'), utf8('intermediate')];

function memory(capacity = 2) {
  const clock = { now: 0 };
  return { clock, memory: createChainMemory({ capacity, lifetimeMs: 1_000, now: () => clock.now }) };
}

const known = (chains: ChainMemory, ...leaves: string[]) =>
  Promise.all(leaves.map(async (leaf) => (await chains.recall(key(leaf))) !== undefined));

test('recalls a chain under the trust that it was seen under, and no other', async () => {
  const { memory: chains } = memory();
  chains.remember(key('a'), chain, 'accepted');
  expect(await chains.recall(key('a'))).toBe(chain);
  expect(await chains.recall(key('a', 'other'))).toBeUndefined();
});

test('forgets with the tickets, however often it is recalled', async () => {
  const { memory: chains, clock } = memory();
  chains.remember(key('a'), chain, 'accepted');
  clock.now = 999;
  expect(await chains.recall(key('a'))).toBe(chain);
  clock.now = 1_000;
  expect(await chains.recall(key('a'))).toBeUndefined();
});

test('is bounded, the longest unused go first', async () => {
  const { memory: chains } = memory();
  chains.remember(key('a'), chain, 'accepted');
  chains.remember(key('b'), chain, 'accepted');
  await chains.recall(key('a'));
  chains.remember(key('c'), chain, 'accepted');
  expect(await known(chains, 'a', 'b', 'c')).toEqual([true, false, true]);
});

test('a flood of refused certificates pushes out no accepted one', async () => {
  const { memory: chains } = memory();
  chains.remember(key('a'), chain, 'accepted');
  for (let i = 0; i < 10; i++) chains.remember(key(`stranger-${i}`), chain, 'refused');
  expect(await chains.recall(key('a'))).toBe(chain);
});

test('is bounded in bytes: strangers may present long chains', async () => {
  const chains = createChainMemory({ capacity: 100, maxBytes: 250, lifetimeMs: 1_000, now: () => 0 });
  const long = [new Uint8Array(100)];
  for (const leaf of ['a', 'b', 'c']) chains.remember(key(leaf), long, 'refused');
  expect(await known(chains, 'a', 'b', 'c')).toEqual([false, true, true]);
  // What is replaced gives its bytes back.
  chains.remember(key('c'), chain, 'accepted');
  chains.remember(key('d'), long, 'refused');
  expect(await chains.recall(key('b'))).toBe(long);
  chains.remember(key('e'), [new Uint8Array(251)], 'refused');
  expect(await chains.recall(key('e'))).toBeUndefined();
});
