import { type ChildProcess, spawn } from 'node:child_process';

/** One of the two processes that the quickstart keeps running. */
export type Supervised = {
  readonly name: string;
  readonly pid: () => number | undefined;
  /** Asks it to stop and waits; after `graceMs` it is killed. */
  stop(graceMs: number): Promise<void>;
};

const firstRestartMs = 250;
const longestRestartMs = 10_000;
/** A process that has run this long is healthy: its next crash counts as the first. */
const healthyMs = 30_000;

/**
 * Runs a command and restarts it when it crashes; its standard input ends with this process. A process that ends in order (exit 0, or a SIGTERM that somebody
 * else sent) stays down.
 *
 * @param started called with the pid of each start
 */
export function supervise(
  name: string,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  log: (line: string) => void,
  started: (pid: number) => void,
): Supervised {
  let child: ChildProcess | undefined;
  let stopping = false;
  let restartMs = firstRestartMs;
  let timer: NodeJS.Timeout | undefined;

  function start(): void {
    const [program = '', ...args] = command;
    const since = Date.now();
    // Its standard input stays open as long as we live.
    const own = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], env: environment });
    own.stdin.on('error', () => undefined);
    child = own;
    if (own.pid !== undefined) started(own.pid);
    own.on('error', (error) => log(`${name} could not be started: ${error.message}`));
    own.on('exit', (code, signal) => {
      child = undefined;
      if (stopping) return;
      if (code === 0 || signal === 'SIGTERM') {
        log(`${name} has stopped and stays down`);
        return;
      }
      if (Date.now() - since > healthyMs) restartMs = firstRestartMs;
      log(`${name} ended with ${signal ?? `exit ${code}`}; it is started again in ${restartMs} ms`);
      timer = setTimeout(start, restartMs);
      restartMs = Math.min(restartMs * 2, longestRestartMs);
    });
  }
  start();

  return {
    name,
    pid: () => child?.pid,
    async stop(graceMs) {
      stopping = true;
      clearTimeout(timer);
      const own = child;
      if (!own || own.exitCode !== null) return;
      const exited = new Promise((resolve) => own.once('exit', resolve));
      own.kill('SIGTERM');
      const kill = setTimeout(() => own.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(kill);
    },
  };
}
