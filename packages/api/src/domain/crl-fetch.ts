import { FaultError } from '@sallyport/faults';
import {
  type CertificateRow,
  claimCrlFetch,
  dueCrlFetches,
  findCrlFacts,
  findCrlFetch,
  saveCrlFetch,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { putCrl, verifyCrl } from './crl-intake.ts';
import { claimMs, clamp, iso, jitter, mostPerRun, renewalPauseMs, timer } from './fetch-schedule.ts';
import { downloadList } from './list-download.ts';
import { publishTouched } from './publish.ts';

const shortestRetryMs = 60_000;
const longestRetryMs = 60 * 60_000;

/** How a fetch ended. */
export type FetchOutcome = { readonly failure?: string };

/** Fetches the lists that are due, one after another: from the platform's timer. */
export async function fetchDueCrls(deps: Dependencies): Promise<void> {
  const due = await dueCrlFetches(deps.store.queries, iso(deps.now()), mostPerRun);
  for (const ca of due) {
    try {
      await fetchCrl(deps, ca, timer);
    } catch (error) {
      deps.log(`the list of ${ca.alias} was not fetched`, error);
    }
  }
}

/**
 * Fetches a CA's list from its URL and puts it in force. A failure keeps the list that there is, says when the next
 * attempt is and why this one failed, and is audited when it begins and when its reason changes, not each time.
 *
 * @returns nothing where another process is at it
 */
export async function fetchCrl(
  deps: Dependencies,
  ca: CertificateRow,
  actor: string,
): Promise<FetchOutcome | undefined> {
  const started = deps.now();
  const before = await findCrlFetch(deps.store.queries, ca.id);
  // Who asks by hand asks now; of timers one goes.
  const claimed =
    actor !== timer ||
    (await deps.store.record((queries) =>
      claimCrlFetch(queries, ca.id, iso(started), iso(started + claimMs)),
    ));
  if (!claimed) return undefined;
  const failure = await attempt(deps, ca, actor);
  const row = {
    ca: ca.id,
    triedAt: iso(started),
    nextAt: iso(deps.now() + (await pauseAfter(deps, ca, failure, before)) * jitter(deps)),
    failure: failure ?? null,
  };
  if (failure !== undefined && failure !== before?.failure) {
    const committed = await deps.store.change(actor, async (change) => {
      await saveCrlFetch(change.queries, row);
      change.audit('crl.fetch-failed', `certificate:${ca.id}`, { alias: ca.alias, failure });
    });
    if (!committed.ok) throw new FaultError(committed.fault);
  } else {
    await deps.store.record((queries) => saveCrlFetch(queries, row));
  }
  return failure === undefined ? {} : { failure };
}

/** @returns why it failed */
async function attempt(deps: Dependencies, ca: CertificateRow, actor: string): Promise<string | undefined> {
  try {
    const list = await verifyCrl(ca, await downloadList(deps.lists, ca.crlUrl ?? ''), deps.now());
    // Most of the time it is the one that there is, which is no change.
    if ((await findCrlFacts(deps.store.queries, ca.id))?.sha256 === list.sha256) return undefined;
    const put = await deps.store.change(actor, (change) => putCrl(change, ca, list, 'fetched', deps.now()));
    if (!put.ok) return reasonOf(put.fault);
    const { touched } = put.value;
    if (touched.length > 0) deps.defer(() => publishTouched(deps, touched));
    return undefined;
  } catch (error) {
    if (error instanceof FaultError && error.fault.code !== 'internal') return reasonOf(error.fault);
    throw error;
  }
}

const reasonOf = ({ code, detail }: FaultError['fault']): string =>
  (detail === undefined ? code : `${code}: ${detail}`).slice(0, 500);

/** Half of what is left of the list, within bounds; after a failure twice the last pause. */
async function pauseAfter(
  deps: Dependencies,
  ca: CertificateRow,
  failure: string | undefined,
  before: { readonly triedAt: string; readonly nextAt: string; readonly failure: string | null } | undefined,
): Promise<number> {
  if (failure !== undefined) {
    const last =
      before?.failure == null ? 0 : Math.max(0, Date.parse(before.nextAt) - Date.parse(before.triedAt));
    return clamp(last * 2, shortestRetryMs, longestRetryMs);
  }
  const nextUpdate = (await findCrlFacts(deps.store.queries, ca.id))?.nextUpdate;
  const left = nextUpdate ? Date.parse(nextUpdate) - deps.now() : 0;
  return renewalPauseMs(left);
}
