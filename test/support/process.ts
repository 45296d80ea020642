// What a test needs of the operating system: processes, ports, folders, and waiting for a condition.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type ProcessOptions = {
  /** Added to the environment of this process; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
};

export type RunOptions = ProcessOptions & {
  /** Written to standard input, which is closed after it. */
  readonly input?: string | Uint8Array;
  /** After this many milliseconds the process group is killed and `run` rejects. Default 30,000. */
  readonly timeoutMs?: number;
};

/** How a process ended. `code` is null when a signal ended it. */
export type RunResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/**
 * Runs a program to its end. Rejects when it cannot be started or takes too long (the message holds what it printed);
 * an exit status other than 0 is a result like any other.
 */
export async function run(
  command: string,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult> {
  const { input, timeoutMs = 30_000, ...rest } = options;
  const started = startProcess(command, args, rest);
  const stdin = started.child.stdin;
  stdin?.on('error', () => {}); // The program may end without reading all of it.
  stdin?.end(input);
  const late = AbortSignal.timeout(timeoutMs);
  late.addEventListener('abort', () => started.kill('SIGKILL'));
  const code = await started.exited;
  const result = { code, stdout: started.stdout(), stderr: started.stderr() };
  if (late.aborted) {
    throw new Error(
      `${command} did not end within ${timeoutMs} ms\nstdout: ${result.stdout}\nstderr: ${result.stderr}`,
    );
  }
  return result;
}

/** A program that goes on while the test does other things. */
export type RunningProcess = {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has printed until now. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Settles with the exit status when it has ended and all its output is read; rejects when it cannot be started. */
  readonly exited: Promise<number | null>;
  /** Signals the process and what it has started; nothing happens after the end. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** SIGTERM, after `graceMs` (default 5,000) SIGKILL; settles with the exit status when it has ended. */
  readonly stop: (graceMs?: number) => Promise<number | null>;
};

/**
 * Starts a program in a process group of its own. It is killed at the latest when this process ends.
 * Standard input stays open until `child.stdin.end()`.
 */
export function startProcess(
  command: string,
  args: readonly string[] = [],
  { env, cwd }: ProcessOptions = {},
): RunningProcess {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    detached: true,
  });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (chunk: Buffer) => output.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.stderr.push(chunk));

  const kill = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The whole group has ended already.
    }
  };
  const killAtExit = () => kill('SIGKILL');
  process.once('exit', killAtExit);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => process.removeListener('exit', killAtExit));
  exited.catch(() => {}); // Whoever awaits it gets the rejection; nobody has to.

  return {
    child,
    pid: child.pid ?? -1,
    stdout: () => Buffer.concat(output.stdout).toString(),
    stderr: () => Buffer.concat(output.stderr).toString(),
    exited,
    kill,
    stop: async (graceMs = 5_000) => {
      const cancel = new AbortController();
      kill('SIGTERM');
      delay(graceMs, undefined, { signal: cancel.signal }).then(
        () => kill('SIGKILL'),
        () => {},
      );
      try {
        return await exited;
      } finally {
        cancel.abort();
      }
    },
  };
}

/** A TCP port of 127.0.0.1 that nobody listens on now. Prefer port 0 where the program can say which it got. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

const temporaryFolders = new Set<string>();

/**
 * Makes an empty folder (mode 0700) and answers its real path. It is removed, with all that is in it, when the test
 * file has run (`temporary-folders.ts`, a setup file of vitest), or else when the process ends.
 */
export function temporaryFolder(): string {
  if (temporaryFolders.size === 0) process.once('exit', removeTemporaryFolders);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-')));
  temporaryFolders.add(folder);
  return folder;
}

/** Removes every folder that `temporaryFolder` has made in this process. */
export function removeTemporaryFolders(): void {
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  temporaryFolders.clear();
  process.removeListener('exit', removeTemporaryFolders);
}

/**
 * Calls `attempt` again and again until it answers without throwing, and answers that. A promise of `attempt` is
 * awaited. After `timeoutMs` (default 5,000) it throws the last error, so that an assertion inside shows its values.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { timeoutMs = 5_000, everyMs = 20 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= end) throw error;
      await delay(everyMs);
    }
  }
}
