import type { Dependencies } from '../dependencies.ts';
import { fetchDueCrls } from './crl-fetch.ts';
import { fetchDueOcsp } from './ocsp-fetch.ts';
import { renewOwnCrls } from './own-crl.ts';
import { publishPending } from './publish.ts';

/**
 * What the platform's timer does, each few seconds or minutes: publish what was left, sign our revocation lists before
 * they end, fetch those of others and what OCSP responders say of our servers. Each of it may run in several processes at once.
 */
export async function runDueWork(deps: Dependencies): Promise<void> {
  await publishPending(deps);
  await renewOwnCrls(deps);
  await fetchDueCrls(deps);
  await fetchDueOcsp(deps);
}
