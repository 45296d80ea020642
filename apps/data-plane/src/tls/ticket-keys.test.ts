import { expect, test } from 'vitest';
import { adoptTicketKeys, createTicketKeys, ticketLifetimeMs, ticketRotationMs } from './ticket-keys.ts';

function keys() {
  const clock = { now: 5 };
  let made = 0;
  const own = createTicketKeys({
    now: () => clock.now,
    random: (bytes) => Buffer.alloc(bytes, ++made),
  });
  return { clock, own };
}

test('seals half an hour, opens an hour, and then no more', () => {
  const { clock, own } = keys();
  const first = own.current();
  expect(Buffer.from(first.secret, 'base64')).toHaveLength(48);
  clock.now += ticketRotationMs - 1;
  expect(own.current()).toBe(first);
  clock.now += 1;
  expect(own.current().id).not.toBe(first.id);
  expect(own.find(first.id)).toBe(first);
  clock.now = 5 + ticketLifetimeMs;
  expect(own.find(first.id)).toBeUndefined();
});

test('a long sleep is not made up for, secret by secret', () => {
  const { clock, own } = keys();
  const first = own.current();
  clock.now += 1_000 * ticketLifetimeMs;
  expect(own.current().id).not.toBe(first.id);
  expect(own.current().sealsUntil).toBe(clock.now + ticketRotationMs);
  expect(own.secrets()).toHaveLength(2);
});

test('who has adopted them changes with their maker, though told beforehand alone', () => {
  const { clock, own } = keys();
  const adopted = adoptTicketKeys(JSON.parse(JSON.stringify(own.secrets())), () => clock.now);
  const first = own.current();
  expect(adopted.current()).toEqual(first);
  clock.now += ticketRotationMs;
  expect(adopted.current()).toEqual(own.current());
  expect(adopted.find(first.id)).toEqual(first);
  adopted.adopt(own.secrets());
  clock.now += ticketRotationMs;
  expect(adopted.current()).toEqual(own.current());
  expect(adopted.find(first.id)).toBeUndefined();
});
