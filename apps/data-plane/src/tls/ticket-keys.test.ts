import { expect, test } from 'vitest';
import { createTicketKeys, ticketLifetimeMs } from './ticket-keys.ts';

test('keys are the same for an hour, then others', () => {
  const clock = { now: 5 };
  let made = 0;
  const keys = createTicketKeys({ now: () => clock.now, random: (bytes) => Buffer.alloc(bytes, ++made) });
  const first = keys.current();
  clock.now += ticketLifetimeMs - 1;
  expect(keys.current()).toBe(first);
  clock.now += 1;
  expect(keys.current()).not.toEqual(first);
  expect(first).toHaveLength(48);
});
