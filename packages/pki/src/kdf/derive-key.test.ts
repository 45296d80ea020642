import { utf8 } from '@sallyport/bytes';
import { expect, test } from 'vitest';
import { bcryptPbkdf } from './derive-key.ts';
import { workBudget } from './work-budget.ts';

test('bcrypt, which all else waits for, may take what ssh-keygen -a 100 takes and no seconds more', () => {
  const derive = (rounds: number, milliseconds: number) =>
    bcryptPbkdf(
      { password: utf8('password'), salt: utf8('0123456789abcdef'), rounds, length: 48 },
      workBudget(milliseconds),
    );
  const spent = { code: 'key-too-costly', detail: 'bcrypt of 150 rounds' };
  expect(() => derive(150, 6_000)).toThrow(expect.objectContaining({ fault: spent }));
  // A round of it costs 42 of the budget: a hundred of them are within the 6,000 of an import.
  expect(derive(1, 42)).toHaveLength(48);
  expect(() => derive(1, 41)).toThrow(
    expect.objectContaining({ fault: { ...spent, detail: 'bcrypt of 1 rounds' } }),
  );
});
