import { createApi, type Dependencies, hashPassword, inProcessFeed, runDueWork } from '@sallyport/api';
import { assemble } from './assemble.ts';
import { loadSettings, randomBytes, variableNames } from './secrets.ts';
import { openWebDatabase } from './web-database.ts';
import { webListRequest } from './web-list-request.ts';

declare const Deno: { readonly env: { get(name: string): string | undefined } };

/** How often it is looked for what is due: changes whose publication was cut short, revocation lists. */
const duePeriodMs = 5_000;
/** How often a long poll looks for what other processes have published. */
const pollPeriodMs = 1_000;

const log: Dependencies['log'] = (message, error) => console.error(message, error ?? '');

const environment = Object.fromEntries(variableNames.map((name) => [name, Deno.env.get(name)]));
const settings = loadSettings(environment);
const deps = await assemble(settings, environment, {
  database: openWebDatabase(settings),
  writers: 'database',
  feed: inProcessFeed(pollPeriodMs),
  hashPassword: (password) => hashPassword(password, randomBytes(16)),
  requestList: webListRequest,
  defer: (work) => void work().catch((error: unknown) => log('deferred work failed', error)),
  log,
});
const api = createApi(deps);

const workThrough = () => deps.defer(() => runDueWork(deps));
workThrough();
setInterval(workThrough, duePeriodMs);

/** What `deno serve` tells of a connection. */
type Connection = { readonly remoteAddr: { readonly hostname?: string } };

/**
 * The control plane on Deno: `deno serve` with permission to read its variables (`secrets.ts`) and to connect to its
 * database, and with no other.
 */
export default {
  fetch: (request: Request, connection: Connection): Response | Promise<Response> =>
    api.fetch(request, { source: connection.remoteAddr.hostname }),
};
