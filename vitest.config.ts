import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { defineConfig } from 'vitest/config';

const quickly = pathToFileURL(`${import.meta.dirname}/test/support/load-quickly.mjs`).href;

/** Stories, whole corpora, and what loads the SSH engine, whose native part should take no other test with it. */
const alone = ['test/**/*.test.ts', 'apps/data-plane/src/ssh/**/*.test.ts'];

export default defineConfig({
  test: {
    setupFiles: ['test/support/temporary-folders.ts'],
    // Many tests wait for another process, so one worker for each core but one would leave a machine of two cores idle
    // half of the time.
    pool: 'forks',
    execArgv: ['--import', quickly],
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        // Loading the modules costs more than most of these tests: a process runs many files, and loads once. No module
        // of ours has a state that one file could leave to the next.
        extends: true,
        test: {
          name: 'beside',
          include: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: alone,
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: alone, isolate: true } },
    ],
  },
});
