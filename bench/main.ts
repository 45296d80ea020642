// `npm run bench -- SUITE…`: the product beside what a user would pick instead, on this machine.
import { runFtpsSuite } from './ftps/suite.ts';
import { runHttpsSuite } from './https/suite.ts';
import { runInventorySuite } from './inventory/suite.ts';
import { type BenchOptions, parseOptions, usage } from './options.ts';
import { jsonOf, tableOf } from './report.ts';
import type { Row } from './rows.ts';
import { runSftpSuite } from './sftp/suite.ts';

type Suite = (options: BenchOptions, progress: (line: string) => void) => Promise<Row[]>;

const suites: Readonly<Record<string, Suite>> = {
  ftps: runFtpsSuite,
  https: runHttpsSuite,
  inventory: runInventorySuite,
  sftp: runSftpSuite,
};

const progress = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  const chosen = options.suites.map((name) => {
    const suite = suites[name];
    if (!suite) throw new Error(`no suite ${name}: ${Object.keys(suites).join(', ')}\n${usage}`);
    return suite;
  });
  const rows: Row[] = [];
  for (const suite of chosen) rows.push(...(await suite(options, progress)));
  process.stdout.write(`${options.output === 'json' ? jsonOf(rows) : tableOf(rows)}\n`);
  return options.strictness === 'strict' && rows.some(({ met }) => met === false) ? 1 : 0;
}

// Every program that runs is ended with this process.
process.setMaxListeners(0);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  },
);
