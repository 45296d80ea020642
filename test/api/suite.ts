import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlPlaneUnderTest, createWorld } from './world.ts';

/**
 * What the control plane promises over HTTP, the same on every runtime.
 *
 * @param start makes a fresh installation and serves it; where the runtime is missing it must reject
 */
export function apiSuite(runtime: string, start: () => Promise<ControlPlaneUnderTest>): void {
  describe(`the API on ${runtime}`, () => {
    let running: ControlPlaneUnderTest | undefined;
    const world = createWorld(() => {
      if (!running) throw new Error(`${runtime} is not running`);
      return running;
    });
    beforeAll(async () => {
      running = await start();
    });
    afterAll(() => running?.stop());

    test('it is healthy, and says so to anyone', async () => {
      expect(await world.call('GET /v1/health', { token: null })).toMatchObject({
        status: 200,
        body: { status: 'ok' },
      });
    });
    test('parallel changes all succeed, and each has a number of its own', async () => {
      const admin = world.admin();
      const made = await Promise.all(
        Array.from({ length: 20 }, () =>
          admin.zones.create({ name: world.unique('zone'), kind: 'internal' }),
        ),
      );
      const numbers = made.map(({ changeSequence }) => changeSequence).sort((a, b) => a - b);
      expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    });
  });
}
