import { isStale } from '@sallyport/pki';
import type { CrlRule, ZoneView } from './zone-view.ts';

/** A CA whose revocation list is past its time, or never came. */
export type StaleCrl = {
  readonly ca: string;
  readonly subject: string;
  readonly onStaleCrl: CrlRule['onStaleCrl'];
  /** CRL number; absent where there is no list. */
  readonly number?: string;
  /** RFC 3339; absent where there is no list. */
  readonly nextUpdate?: string;
};

/**
 * Raises the alarm for lists that have become stale, whether or not somebody logs in meanwhile: once per list, and
 * again when a later one ends.
 *
 * @param now milliseconds since the epoch: the node judges by its own clock
 * @returns looks at a view and alarms for what is new
 */
export function createCrlWatch(
  now: () => number,
  alarm: (stale: StaleCrl) => void,
): (view: Pick<ZoneView, 'crlRules'>) => void {
  let raised = new Set<string>();
  return ({ crlRules }) => {
    const standing = new Set<string>();
    for (const rule of crlRules) {
      if (!isStale(rule, new Date(now()))) continue;
      const { id, ca, onStaleCrl, list } = rule;
      const name = `${id} ${list?.number ?? ''} ${onStaleCrl}`;
      standing.add(name);
      if (raised.has(name)) continue;
      alarm({
        ca: id,
        subject: ca.subject,
        onStaleCrl,
        ...(list ? { number: list.number, nextUpdate: list.nextUpdate.toISOString() } : {}),
      });
    }
    raised = standing;
  };
}
