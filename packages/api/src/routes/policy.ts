import { ok, refuseField, unwrap } from '@sallyport/faults';
import { type LoginSettings, loginSettings, loginSettingsPatch, sslEntry, userClass } from '@sallyport/model';
import { effectivePolicy } from '@sallyport/policy';
import { checkAdmits } from '@sallyport/snapshot/publish';
import {
  allServers,
  allZones,
  type Queries,
  readPolicyDocument,
  updatePolicyDocument,
} from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { readGlobalPolicy } from '../domain/zone-content.ts';
import { operation } from '../operation.ts';
import { changed, commit, requireVersion, requireWritten } from './answers.ts';

const settingsAnswer = loginSettings.extend({ version: z.int() });

/** No server of any zone may be left with rules that admit nobody. */
async function checkEveryZone(queries: Queries, settings: LoginSettings): Promise<void> {
  const global = { ...(await readGlobalPolicy(queries)), loginSettings: settings };
  const zones = await allZones(queries);
  const policies = new Map(zones.map((zone) => [zone.id, effectivePolicy(global, zone)]));
  for (const server of await allServers(queries)) {
    const policy = policies.get(server.zone);
    const admits = policy ? checkAdmits(server, policy) : ok(undefined);
    if (!admits.ok)
      unwrap(refuseField('policy-refused', '/password', admits.fault.detail ?? 'nobody could log in'));
  }
}

export const policyOperations = [
  operation({
    route: 'GET /v1/login-settings',
    summary: 'Show the global login settings',
    answers: settingsAnswer,
    async run(deps) {
      const { body, version } = await readPolicyDocument(deps.store.queries, 'login-settings');
      return ok({ body: { ...body, version }, version });
    },
  }),
  operation({
    route: 'PATCH /v1/login-settings',
    summary: 'Change the global login settings',
    body: loginSettingsPatch,
    answers: settingsAnswer.extend(changed),
    precondition: 'if-match',
    async run(deps, { body, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const committed = await commit(deps, caller, async (change) => {
        const current = await readPolicyDocument(change.queries, 'login-settings');
        requireVersion(current, expectedVersion);
        const next = loginSettings.parse({ ...current.body, ...body });
        await checkEveryZone(change.queries, next);
        requireWritten(await updatePolicyDocument(change.queries, 'login-settings', next, expectedVersion));
        change.audit('login-settings.change', 'login-settings', { ...body });
        change.touch('all');
        return { ...next, version: expectedVersion + 1 };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      return ok({ body: { ...value, changeSequence }, version: value.version });
    },
  }),
  operation({
    route: 'GET /v1/user-classes',
    summary: 'List the global user classes in their order',
    answers: z.strictObject({ items: z.array(userClass), version: z.int() }),
    async run(deps) {
      const { body, version } = await readPolicyDocument(deps.store.queries, 'user-classes');
      return ok({ body: { items: body, version }, version });
    },
  }),
  operation({
    route: 'GET /v1/ssl-entries',
    summary: 'List the global SSL entries in their order',
    answers: z.strictObject({ items: z.array(sslEntry), version: z.int() }),
    async run(deps) {
      const { body, version } = await readPolicyDocument(deps.store.queries, 'ssl-entries');
      return ok({ body: { items: body, version }, version });
    },
  }),
];
