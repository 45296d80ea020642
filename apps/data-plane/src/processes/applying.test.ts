import { expect, test } from 'vitest';
import { applyWanted, type Served } from './applying.ts';
import type { WorkerApplied } from './work.ts';

const applied = (manifestDigest: string): Served => ({
  kind: 'applied',
  manifestDigest,
  items: [],
  ports: new Map(),
});

async function run(answers: (() => Promise<WorkerApplied>)[], lateMs = 10_000) {
  const served: string[] = [];
  let up = true;
  const outcome = await applyWanted(
    { apply: () => answers.shift()?.() ?? Promise.reject(new Error('asked too often')) },
    {
      wanted: () => 'new',
      isUp: () => up,
      served: ({ manifestDigest }) => {
        served.push(manifestDigest);
        if (manifestDigest === 'last words') up = false;
      },
      lateMs,
    },
  );
  return { outcome, served };
}

test('a worker applies until it serves what is in force', async () => {
  expect(await run([async () => applied('old'), async () => applied('new')])).toEqual({
    outcome: { kind: 'done' },
    served: ['old', 'new'],
  });
});

test('one that throws, refuses or takes too long is replaced: it would go on with what was before', async () => {
  expect(await run([() => Promise.reject(new Error('EMFILE'))])).toEqual({
    outcome: { kind: 'replace', why: 'stumbles over the snapshot' },
    served: [],
  });
  const failed = { kind: 'failed', fault: 'section-missing' } as const;
  expect((await run([async () => failed])).outcome).toEqual({
    kind: 'replace',
    why: 'refuses the snapshot: section-missing',
  });
  expect((await run([() => new Promise(() => {})], 1)).outcome).toMatchObject({ why: 'takes too long' });
});

test('one that has ended is nobody to replace', async () => {
  expect((await run([async () => applied('last words')])).outcome).toEqual({ kind: 'done' });
});
