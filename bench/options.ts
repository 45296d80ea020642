import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type BenchOptions = {
  /** At least one. */
  readonly suites: readonly string[];
  readonly rounds: number;
  /** Names of rows, or beginnings of them; empty: all. */
  readonly rows: readonly string[];
  /** Size of the large file. */
  readonly mebibytes: number;
  /** Folder that all servers keep their files in. */
  readonly folder: string;
  readonly output: 'table' | 'json';
  readonly strictness: 'report' | 'strict';
};

export const usage = `npm run bench -- SUITE… [--rows A,B] [--rounds N] [--size MiB] [--folder DIR] [--json] [--strict]`;

const wholeNumber = (text: string, name: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number above 0`);
  return value;
};

/** Reads the command line. Throws Error with a sentence for the user. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rows: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      size: { type: 'string', default: '512' },
      folder: { type: 'string', default: '/dev/shm' },
      json: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
    },
  });
  if (positionals.length === 0) throw new Error(usage);
  return {
    suites: positionals,
    rounds: wholeNumber(values.rounds, 'rounds'),
    rows: values.rows.split(',').filter((row) => row !== ''),
    mebibytes: wholeNumber(values.size, 'size'),
    folder: values.folder,
    output: values.json ? 'json' : 'table',
    strictness: values.strict ? 'strict' : 'report',
  };
}
