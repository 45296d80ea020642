import { run } from '../test/support/process.ts';

/** Where a program may run. */
export type Placement = { readonly core: number } | 'anywhere';

const longest = 600_000;

/**
 * Runs a program to its end. Rejects with what it said when it fails.
 *
 * @returns what it printed
 */
export async function must(
  placement: Placement,
  command: string,
  args: readonly string[],
  { input = '', cwd }: { readonly input?: string; readonly cwd?: string } = {},
): Promise<string> {
  const pinned = placement === 'anywhere' ? [] : ['taskset', '-c', String(placement.core)];
  const [program = command, ...rest] = [...pinned, command, ...args];
  const done = await run(program, rest, {
    input,
    timeoutMs: longest,
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (done.code !== 0) throw new Error(`${command} ended with ${done.code}: ${done.stderr}`);
  return done.stdout;
}
