import type { ItemReport } from '@sallyport/model';

/**
 * What several processes report of the same items, as one: what one of them refuses, the node refuses.
 *
 * @param reports of each process, one per item
 */
export function mergedItems(reports: readonly (readonly ItemReport[])[]): ItemReport[] {
  const merged = new Map<string, ItemReport>();
  for (const report of reports.flat()) {
    const before = merged.get(report.item);
    if (!before || (before.result === 'ack' && report.result === 'nack')) merged.set(report.item, report);
  }
  return [...merged.values()];
}
