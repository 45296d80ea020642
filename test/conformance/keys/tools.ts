// Runs the tools of the field, hundreds of times. To fork a process as large as that of a test costs more than most of
// their work, so small shells do it.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunningProcess, startProcess, temporaryFolder } from '../../support/process.ts';

/** A shell that runs one command after another. */
type Shell = { readonly process: RunningProcess; readonly folder: string };

const timeoutMs = 30_000;
/** Shells that nobody needs for so long are ended. */
const idleMs = 1_000;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

function toolRunner() {
  const resting: Shell[] = [];
  let ending: NodeJS.Timeout | undefined;
  let running = 0;

  const start = (): Shell => ({ process: startProcess('sh'), folder: temporaryFolder() });

  /** Resolves with the exit status that the shell tells of its last command. */
  const status = ({ process }: Shell): Promise<number> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => process.kill('SIGKILL'), timeoutMs);
      const told = (chunk: Buffer) => {
        clearTimeout(late);
        process.child.off('close', ended);
        resolve(Number(String(chunk)));
      };
      const ended = () => {
        clearTimeout(late);
        reject(new Error(`the shell has ended, after ${timeoutMs} ms at the latest: ${process.stderr()}`));
      };
      process.child.stdout?.once('data', told);
      process.child.once('close', ended);
    });

  return async (command: string, args: readonly string[], input = ''): Promise<string> => {
    clearTimeout(ending);
    running++;
    const shell = resting.pop() ?? start();
    const [stdin, stdout, stderr] = ['in', 'out', 'err'].map((name) => join(shell.folder, name)) as [
      string,
      string,
      string,
    ];
    try {
      await writeFile(stdin, input);
      const ended = status(shell);
      const words = [command, ...args].map(quoted).join(' ');
      const files = `< ${quoted(stdin)} > ${quoted(stdout)} 2> ${quoted(stderr)}`;
      shell.process.child.stdin?.write(`${words} ${files}; echo $?\n`);
      const code = await ended;
      const [printed, complaint] = await Promise.all([readFile(stdout, 'utf8'), readFile(stderr, 'utf8')]);
      resting.push(shell);
      if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${printed}${complaint}`);
      return printed;
    } finally {
      if (--running === 0) {
        ending = setTimeout(() => {
          for (const { process } of resting.splice(0)) process.child.stdin?.end();
        }, idleMs);
        ending.unref();
      }
    }
  };
}

/** Runs a tool that must succeed, and answers what it printed. */
export const must: (command: string, args: readonly string[], input?: string) => Promise<string> =
  toolRunner();
