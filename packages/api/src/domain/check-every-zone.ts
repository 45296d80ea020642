import { ok, refuseField, unwrap } from '@sallyport/faults';
import { effectivePolicy, type GlobalPolicy } from '@sallyport/policy';
import { checkAdmits } from '@sallyport/snapshot/publish';
import { allServers, allZones, type Queries } from '@sallyport/store';
import { readGlobalPolicy } from './zone-content.ts';

/**
 * No server of any zone may be left with rules that admit nobody. Throws FaultError `policy-refused` at `pointer`.
 *
 * @param next documents that the change puts in place of the global ones
 */
export async function checkEveryZone(
  queries: Queries,
  next: Partial<GlobalPolicy>,
  pointer: string,
): Promise<void> {
  const global = { ...(await readGlobalPolicy(queries)), ...next };
  const zones = await allZones(queries);
  const policies = new Map(zones.map((zone) => [zone.id, effectivePolicy(global, zone)]));
  for (const server of await allServers(queries)) {
    const policy = policies.get(server.zone);
    const admits = policy ? checkAdmits(server, policy) : ok(undefined);
    if (!admits.ok)
      unwrap(refuseField('policy-refused', pointer, admits.fault.detail ?? 'nobody could log in'));
  }
}
