// A bounded run of every fuzz target, and every find that there ever was.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, runTarget } from './run-target.ts';
import { targets } from './targets.ts';

const seed = Number(process.env.SALLYPORT_FUZZ_SEED ?? 20_261_124);
const inputs = process.env.CI ? 3_000 : 500;

describe.each(targets.map((make) => make()).map((target) => [target.name, target] as const))(
  '%s',
  (name, target) => {
    it(`takes ${inputs} changed inputs`, { timeout: 120_000 }, async () => {
      const { find } = await runTarget(target, seed, (runs) => runs < inputs);
      expect(find && `${find.message}\n${Buffer.from(find.input).toString('base64')}`).toBeUndefined();
    });

    const folder = join(import.meta.dirname, 'finds', name);
    for (const find of existsSync(folder) ? readdirSync(folder) : []) {
      it(`takes ${find}, which was one too much once`, async () => {
        for (let at = 0; at < 20; at++)
          expect(await failureOf(target, readFileSync(join(folder, find)), at)).toBeUndefined();
      });
    }
  },
);
