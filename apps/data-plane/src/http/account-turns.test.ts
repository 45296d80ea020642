import { expect, it } from 'vitest';
import { createAccountTurns } from './account-turns.ts';

it('runs so many of one account and no more, and those of others beside them', async () => {
  const inTurn = createAccountTurns(2);
  const running = new Map<string, number>();
  let most = 0;
  const order: string[] = [];
  const work = (account: string, n: number) => () =>
    new Promise<void>((resolve) => {
      const now = (running.get(account) ?? 0) + 1;
      running.set(account, now);
      most = Math.max(most, now);
      order.push(`${account}${n}`);
      setImmediate(() => {
        running.set(account, now - 1);
        resolve();
      });
    });
  await Promise.all(
    [0, 1, 2, 3, 4].flatMap((n) => ['a', 'b'].map((account) => inTurn(account, work(account, n)))),
  );
  expect(most).toBe(2);
  expect(order.slice(0, 4)).toEqual(['a0', 'b0', 'a1', 'b1']);
  expect(order).toHaveLength(10);
});

it('goes on after work that fails', async () => {
  const inTurn = createAccountTurns(1);
  const failed = inTurn('a', () => Promise.reject(new Error('no')));
  const next = inTurn('a', async () => 'done');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('done');
});
