import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';

const root = resolve(import.meta.dirname, '../..');

/** The date and flags of wrangler.toml, which a test there keeps equal to these. */
export const compatibilityDate = '2026-07-01';
export const compatibilityFlags = ['nodejs_compat'];

export type WorkerdOptions = {
  /** Absolute path of the module that exports the worker's handlers by default. */
  readonly entry: string;
  /** Text bindings: variables and secrets. */
  readonly bindings?: Readonly<Record<string, string>>;
};

export type RunningWorkerd = {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Runs the worker's scheduled handler once, as its cron trigger would. */
  readonly runScheduled: () => Promise<void>;
  /** Ends workerd. */
  readonly dispose: () => Promise<void>;
};

type Scheduled = { readonly scheduled: () => Promise<{ readonly outcome: string }> };

/** Bundles a worker and serves it with workerd on a free port of 127.0.0.1; rejects when either fails. */
export async function startWorkerd({ entry, bindings = {} }: WorkerdOptions): Promise<RunningWorkerd> {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    log: new Log(LogLevel.WARN),
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await bundleWorker(entry) }],
    compatibilityDate,
    compatibilityFlags,
    bindings: { ...bindings },
  });
  try {
    const url = await miniflare.ready;
    return {
      url: url.origin,
      runScheduled: async () => {
        // Miniflare's own types need those of the whole Workers runtime for this one call.
        const worker = (await miniflare.getWorker()) as unknown as Scheduled;
        const { outcome } = await worker.scheduled();
        if (outcome !== 'ok') throw new Error(`the scheduled handler ended with ${outcome}`);
      },
      dispose: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/**
 * Bundles a worker into one ES module, as a deployment does.
 *
 * @param entry absolute path; packages are found from it, or else from the repository's root
 */
export async function bundleWorker(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['node:*', 'cloudflare:*'],
    nodePaths: [resolve(root, 'node_modules')],
    absWorkingDir: root,
    logLevel: 'silent',
    plugins: [nodeScheme],
  });
  const [output] = outputFiles;
  if (!output) throw new Error('nothing was bundled');
  return output.text;
}

/** workerd knows Node's modules by their `node:` names alone; some libraries still import them by the bare name. */
const nodeScheme: Plugin = {
  name: 'node-scheme',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[a-z_]+(\/[a-z_]+)?$/ }, ({ path }) =>
      isBuiltin(path) ? { path: `node:${path}`, external: true } : undefined,
    );
  },
};
