import { waitUntil } from 'cloudflare:workers';
import { createApi, type Dependencies, hashPassword, pollingFeed, runDueWork } from '@sallyport/api';
import { assemble } from './assemble.ts';
import { loadSettings, randomBytes } from './secrets.ts';
import { openWebDatabase } from './web-database.ts';
import { webListRequest } from './web-list-request.ts';

/** How often a long poll looks for news: its isolate does not hear of changes that others make. */
const pollPeriodMs = 500;

type Environment = Record<string, unknown>;
type ControlPlane = { readonly deps: Dependencies; readonly api: ReturnType<typeof createApi> };

const log: Dependencies['log'] = (message, error) => console.error(message, error ?? '');

let ready: ControlPlane | undefined;

/**
 * The isolate's control plane. Only the finished thing is shared: two first requests each build one, for a request
 * that waits for another's promise hangs.
 */
async function controlPlane(environment: Environment): Promise<ControlPlane> {
  if (ready) return ready;
  const settings = loadSettings(environment);
  const deps = await assemble(settings, environment, {
    database: openWebDatabase(settings),
    writers: 'database',
    feed: pollingFeed(pollPeriodMs),
    hashPassword: (password) => hashPassword(password, randomBytes(16)),
    requestList: webListRequest,
    defer: (work) => waitUntil(work().catch((error: unknown) => log('deferred work failed', error))),
    log,
  });
  ready ??= { deps, api: createApi(deps) };
  return ready;
}

/** The control plane on Cloudflare Workers (`wrangler.toml`): the API, and the timer's work. */
export default {
  async fetch(request: Request, environment: Environment): Promise<Response> {
    const { api } = await controlPlane(environment);
    // Cloudflare sets this header and drops what the client sent under its name.
    return api.fetch(request, { source: request.headers.get('cf-connecting-ip') ?? undefined });
  },

  async scheduled(_controller: unknown, environment: Environment): Promise<void> {
    const { deps } = await controlPlane(environment);
    await runDueWork(deps);
  },
};
