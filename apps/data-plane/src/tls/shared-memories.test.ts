import { utf8 } from '@sallyport/bytes';
import { expect, test } from 'vitest';
import { createTlsMemories, type TlsMemories } from './memories.ts';
import { createMemoryDesk, createSharedMemories, type MemoryDesk } from './shared-memories.ts';

const now = () => 1_000_000;

/** Another process: all that it says and hears is carried by JSON. */
function processAt(keeper: ReturnType<typeof createTlsMemories>): {
  memories: TlsMemories;
  desk: MemoryDesk;
} {
  const desk = createMemoryDesk(keeper);
  const carried = <T>(value: T): T => JSON.parse(JSON.stringify(value));
  const memories = createSharedMemories({
    now,
    secrets: carried(keeper.ticketKeys.secrets()),
    tell: (message) => desk.take(carried(message)),
    ask: async (question) => carried(await desk.answer(carried(question))),
  });
  return { memories, desk };
}

test('what one process remembers the other finds', async () => {
  const keeper = createTlsMemories({ now });
  const { memories: one, desk } = processAt(keeper);
  const { memories: other } = processAt(keeper);
  expect(one.ticketKeys.current()).toEqual(other.ticketKeys.current());

  const key = { leafSha256: 'leaf', trustDigest: 'trust' };
  one.chains.remember(key, [utf8('leaf'), utf8('above')], 'accepted');
  one.chains.remember({ ...key, leafSha256: 'stranger' }, [utf8('x')], 'refused');
  expect(await other.chains.recall(key)).toEqual([utf8('leaf'), utf8('above')]);
  expect(await other.chains.recall({ ...key, leafSha256: 'stranger' })).toBeUndefined();

  const session = { data: 'AA==', control: 'c1', origin: now() };
  one.sessions.put('id', session);
  expect(await other.sessions.find('id')).toEqual(session);
  expect(await other.sessions.find('none')).toBeUndefined();

  const holder = { account: 'acc', source: '192.0.2.1' };
  one.holders.open('c1');
  const asked = other.holders.holderOf('c1');
  one.holders.bind('c1', holder);
  expect(await asked).toEqual(holder);

  one.holders.open('c2');
  const lost = other.holders.holderOf('c2');
  desk.close();
  expect(await lost).toBeUndefined();
  expect(await other.holders.holderOf('c1')).toEqual(holder);
});

test('a keeper that does not answer leaves the own memories', async () => {
  const memories = createSharedMemories({
    now,
    secrets: createTlsMemories({ now }).ticketKeys.secrets(),
    tell: () => {},
    ask: () => Promise.reject(new Error('gone')),
  });
  memories.sessions.put('id', { data: 'AA==', control: 'c1', origin: now() });
  expect(await memories.sessions.find('id')).toBeDefined();
  expect(await memories.holders.holderOf('c9')).toBeUndefined();
});
