import { expect, test } from 'vitest';
import { createSpentSteps } from './spent-steps.ts';

test('a step is taken once for each account, and none before it after it', () => {
  const steps = createSpentSteps(10);
  expect(steps.spend('a', 7)).toBe('fresh');
  expect(steps.spend('a', 7)).toBe('spent');
  expect(steps.spend('a', 6)).toBe('spent');
  expect(steps.spend('b', 7)).toBe('fresh');
  expect(steps.spend('a', 8)).toBe('fresh');
});

test('remembers so many accounts and no more', () => {
  const steps = createSpentSteps(2);
  for (const account of ['a', 'b', 'c']) expect(steps.spend(account, 1)).toBe('fresh');
  expect(steps.spend('c', 1)).toBe('spent');
  expect(steps.spend('b', 1)).toBe('spent');
  expect(steps.spend('a', 1)).toBe('fresh');
});
