import { once } from 'node:events';
import { Option } from 'commander';

/** When a command that serves shall stop, other than by a signal. */
export type StopOptions = {
  readonly stopWithStdin?: boolean;
  /** With the process that started it: a killed `npm start` cannot pass its signal on. */
  readonly stopWithParent?: boolean;
};

const parentPeriodMs = 1_000;

/** `--stop-with-stdin`, for commands that serve under a supervisor. */
export const stopOption = (): Option =>
  new Option('--stop-with-stdin', 'stop when standard input ends, as it does when a supervisor is gone');

/**
 * Aborts when this process is asked to stop: by SIGTERM, by SIGINT, or by the end of its standard input or of its
 * parent where that is asked for. So a child learns that its supervisor is gone, however that ended, and the next one
 * finds no port taken and no folder in use.
 */
export function stopRequest({ stopWithStdin, stopWithParent }: StopOptions): AbortSignal {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  if (stopWithStdin) {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, stop);
    process.stdin.resume().unref();
  }
  if (stopWithParent) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && stop(), parentPeriodMs).unref();
  }
  return controller.signal;
}

/** Resolves when the signal has aborted, and keeps the process up until then. */
export async function aborted(signal: AbortSignal): Promise<void> {
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  if (!signal.aborted) await once(signal, 'abort');
  clearInterval(keepAlive);
}

/** A reader of our log that goes away must not end what serves. */
export function outliveLogReader(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
