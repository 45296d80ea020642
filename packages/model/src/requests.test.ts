import { describe, expect, it, test } from 'vitest';
import type { z } from 'zod';
import { samples } from '../fixture/samples.ts';

type Path = readonly (string | number)[];

/** Every place of a value, with what stands there. */
function* placesOf(value: unknown, path: Path = []): Generator<[Path, unknown]> {
  yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, inner] of entries) yield* placesOf(inner, [...path, key]);
}

/** A copy with one place changed. */
function changedAt(value: unknown, path: Path, change: (found: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = changedAt(copy[key], rest, change);
  return copy;
}

const outcomeOf = (schema: z.ZodType, value: unknown): unknown => {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : 'refused';
};

const hasNul = (value: unknown): boolean =>
  [...placesOf(value)].some(
    ([path, found]) =>
      String(path.at(-1) ?? '').includes('\0') || (typeof found === 'string' && found.includes('\0')),
  );
const isWellFormed = (value: unknown): boolean =>
  [...placesOf(value)].every(([, found]) => typeof found !== 'string' || found.isWellFormed());

describe.each(samples)('%s', (name, schema, sample) => {
  it('is taken', () => {
    expect(schema.safeParse(sample)).toMatchObject({ success: true });
  });

  it('with an unknown field anywhere is refused', () => {
    for (const [path, found] of placesOf(sample)) {
      if (typeof found !== 'object' || found === null || Array.isArray(found)) continue;
      // What an event tells further has names of its own.
      if (name === 'events' && path.at(-1) === 'detail') continue;
      const more = changedAt(sample, path, (object) => ({ ...(object as object), unknownField: 1 }));
      if (outcomeOf(schema, more) !== 'refused') expect.fail(`unknown field taken at /${path.join('/')}`);
    }
  });

  // The database cuts a text at NUL, and gives half of a surrogate pair back as another character.
  it.each([
    ['NUL', '\0'],
    ['half of a surrogate pair', '\ud800'],
  ])('lets no %s through, wherever it stands', (_what, bad) => {
    for (const [path, found] of placesOf(sample)) {
      if (typeof found !== 'string') continue;
      for (const text of [found + bad, bad + found, `${found.slice(0, 1)}${bad}${found.slice(1)}`]) {
        const outcome = outcomeOf(
          schema,
          changedAt(sample, path, () => text),
        );
        if (outcome !== 'refused' && (hasNul(outcome) || !isWellFormed(outcome))) {
          expect.fail(`${JSON.stringify(text)} taken at /${path.join('/')}`);
        }
      }
    }
  });

  it('bounds every text and every list', () => {
    for (const [path, found] of placesOf(sample)) {
      const large =
        typeof found === 'string'
          ? found + found.slice(-1).repeat(100_000)
          : Array.isArray(found)
            ? Array(100_001).fill(found[0])
            : undefined;
      if (large === undefined) continue;
      const outcome = outcomeOf(
        schema,
        changedAt(sample, path, () => large),
      );
      if (outcome !== 'refused') expect.fail(`no bound at /${path.join('/')}`);
    }
  });

  test.each([[[]], [null], ['text'], [1], [[sample]], [undefined]])('is not %j', (value) => {
    expect(outcomeOf(schema, value)).toBe('refused');
  });
});

describe('reports of nodes', () => {
  it('show what a stranger typed, and are not lost for it', () => {
    const [, schema, sample] = samples.find(([name]) => name === 'events') as (typeof samples)[number];
    const odd = changedAt(sample, ['events', 0, 'account'], () => 'a\0b\ud800');
    expect(schema.parse(odd)).toMatchObject({ events: [{ account: 'a\u2400b\ufffd' }] });
  });
});
