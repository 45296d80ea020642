import { FaultError, faults } from '@sallyport/faults';

/** How a command answers: for people, or as one line of JSON for programs. */
export type OutputMode = 'text' | 'json';

/** Prints a result: the text for people, or the value as JSON. */
export function printResult(mode: OutputMode, value: unknown, text: string): void {
  process.stdout.write(mode === 'json' ? `${JSON.stringify(value)}\n` : `${text}\n`);
}

/**
 * Prints a failure with what to do next and sets the exit code: 1 for what the environment refuses, 2 for a request
 * that is wrong in itself.
 */
export function printFailure(mode: OutputMode, error: unknown): void {
  const fault = error instanceof FaultError ? error.fault : undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (mode === 'json') {
    process.stdout.write(`${JSON.stringify({ error: fault ?? { code: 'internal', detail: message } })}\n`);
  } else {
    process.stderr.write(
      `sallyport: ${message}${fault ? ` (${fault.code}: ${faults[fault.code].text})` : ''}\n`,
    );
    for (const field of fault?.fields ?? []) process.stderr.write(`  ${field.pointer}: ${field.detail}\n`);
  }
  process.exitCode = fault && faults[fault.code].http < 500 && faults[fault.code].http !== 401 ? 2 : 1;
}
