import { join, resolve } from 'node:path';
import { eventually, startProcess, temporaryFolder } from './process.ts';

const root = resolve(import.meta.dirname, '../..');

export type DenoOptions = {
  /** Absolute path of a module of this repository that exports `{ fetch }` by default, as `deno serve` takes it. */
  readonly entry: string;
  /** Set for the module, and the only variables that it may read. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further variables that the module may read although they are not set. */
  readonly mayRead?: readonly string[];
  /** `HOST:PORT` that the module may connect to. Its own listener needs no permission. */
  readonly allowNet?: readonly string[];
  /** How long it may take until it answers. Default 20,000. */
  readonly timeoutMs?: number;
};

export type RunningDeno = {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  /** What it has written to standard error until now. */
  readonly stderr: () => string;
  /** SIGTERM, and SIGKILL when that is not enough; settles when it has ended. */
  readonly stop: () => Promise<void>;
};

/**
 * The arguments for Deno to serve a module of this repository offline, with npm's node_modules as they are and with no
 * permission but to read these variables and to connect to these addresses. Imported modules need no permission to read.
 */
export function denoArguments(
  entry: string,
  port: number,
  variables: readonly string[],
  addresses: readonly string[],
): string[] {
  return [
    'serve',
    '--no-prompt',
    '--cached-only',
    '--no-lock',
    '--no-config',
    '--node-modules-dir=manual',
    '--host=127.0.0.1',
    `--port=${port}`,
    ...(variables.length > 0 ? [`--allow-env=${variables.join(',')}`] : []),
    ...(addresses.length > 0 ? [`--allow-net=${addresses.join(',')}`] : []),
    entry,
  ];
}

/** Serves a module with Deno on a free port of 127.0.0.1. Settles when it answers; rejects when it ends before that. */
export async function startDeno({
  entry,
  env = {},
  mayRead = [],
  allowNet = [],
  timeoutMs = 20_000,
}: DenoOptions): Promise<RunningDeno> {
  const args = denoArguments(entry, 0, [...Object.keys(env), ...mayRead], allowNet);
  const deno = startProcess(join(root, 'node_modules', '.bin', 'deno'), args, {
    cwd: root,
    env: { ...env, DENO_DIR: temporaryFolder(), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' },
  });
  const ended = deno.exited.then((code) => {
    throw new Error(`deno ended with ${code} before it answered:\n${deno.stderr()}`);
  });
  const answering = eventually(
    async () => {
      const url = /Listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(deno.stderr())?.[1];
      if (!url) throw new Error(`deno is not listening:\n${deno.stderr()}`);
      await (await fetch(url)).arrayBuffer();
      return url;
    },
    { timeoutMs },
  );
  answering.catch(() => {});
  try {
    const url = await Promise.race([answering, ended]);
    ended.catch(() => {});
    return {
      url,
      pid: deno.pid,
      stderr: deno.stderr,
      stop: async () => {
        await deno.stop();
      },
    };
  } catch (error) {
    await deno.stop();
    throw error;
  }
}
