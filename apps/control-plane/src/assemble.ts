import type { ChangeFeed, Dependencies, ListRequest } from '@sallyport/api';
import { createStore, type Database, type WriterOrder } from '@sallyport/store';
import { loadSecrets, type PlatformSettings, randomBytes } from './secrets.ts';

/** What differs between the runtimes: all that `Dependencies` needs besides settings and secrets. */
export type Platform = {
  readonly database: Database;
  readonly writers: WriterOrder;
  readonly feed: ChangeFeed;
  readonly hashPassword: Dependencies['hashPassword'];
  /** One request for a revocation list of others. */
  readonly requestList: ListRequest;
  readonly defer: Dependencies['defer'];
  readonly log: Dependencies['log'];
};

/**
 * Puts together what the API needs, the same way on every runtime.
 *
 * @param environment holds the platform's secrets; throws Error that names the one that is missing
 */
export async function assemble(
  settings: PlatformSettings,
  environment: Record<string, unknown>,
  platform: Platform,
): Promise<Dependencies> {
  const { keys, signers } = await loadSecrets(environment);
  return {
    store: createStore(platform.database, Date.now, { writers: platform.writers }),
    keys,
    signers,
    feed: platform.feed,
    now: Date.now,
    randomBytes,
    hashPassword: platform.hashPassword,
    lists: {
      request: platform.requestList,
      innerAddresses: settings.SALLYPORT_CRL_INNER_ADDRESSES ?? 'refused',
    },
    defer: platform.defer,
    log: platform.log,
    publicUrl: settings.SALLYPORT_PUBLIC_URL,
  };
}
