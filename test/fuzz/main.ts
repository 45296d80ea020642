// `npm run fuzz`: changes good input at random and feeds it to what reads the bytes of strangers, until something gives.
import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { removeTemporaryFolders } from '../support/process.ts';
import { runTarget } from './run-target.ts';
import { targets } from './targets.ts';

const made = targets.map((make) => make());
const names = made.map(({ name }) => name);
const usage = `npm run fuzz -- [TARGET...] [--seconds N] [--seed N] [--json]

Feeds changed input to ${names.join(', ')} (all where none is named), each for --seconds (default 60).
A find is written to test/fuzz/finds/TARGET/, where npm test replays it. Exit codes: 0 nothing found, 1 a find, 2 usage.`;

function fail(message: string): never {
  process.stderr.write(`${message}\n\n${usage}\n`);
  process.exit(2);
}

function read() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals } = read();
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) fail(`no target ${unknown}`);
const seconds = Number(values.seconds);
if (!(seconds > 0)) fail('--seconds takes a number above 0');
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!Number.isInteger(seed)) fail('--seed takes a whole number');

const results = [];
for (const target of made) {
  if (positionals.length > 0 && !positionals.includes(target.name)) continue;
  const startedAt = performance.now();
  let shownAt = startedAt;
  const { runs, find } = await runTarget(target, seed, (done) => {
    const now = performance.now();
    if (now - shownAt > 5_000) {
      shownAt = now;
      process.stderr.write(`${target.name}: ${done} inputs, ${Math.round((now - startedAt) / 1_000)} s\n`);
    }
    return now - startedAt < seconds * 1_000;
  });
  const result = { target: target.name, seed, runs, find: find?.message ?? null };
  results.push(result);
  if (find) {
    const folder = join(import.meta.dirname, 'finds', target.name);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, createHash('sha256').update(find.input).digest('hex').slice(0, 16));
    writeFileSync(file, find.input);
    process.stderr.write(`${target.name}: ${find.message}\nkept as ${relative(process.cwd(), file)}\n`);
  } else if (!values.json)
    process.stdout.write(`${target.name}: ${runs} inputs, nothing found (seed ${seed})\n`);
}
removeTemporaryFolders();
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
process.exit(results.some(({ find }) => find !== null) ? 1 : 0);
