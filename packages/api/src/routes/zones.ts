import { ok, refuseField, unwrap } from '@sallyport/faults';
import { loginSettings, sslEntry, userClass, type Zone, zone, zoneCreate, zonePatch } from '@sallyport/model';
import { effectivePolicy } from '@sallyport/policy';
import { checkAdmits } from '@sallyport/snapshot/publish';
import {
  activeNodes,
  type Change,
  findPublication,
  findZone,
  findZoneNamed,
  firstSnapshotAt,
  insertContentKey,
  insertZone,
  listZones,
  type PublicationRow,
  pendingSequence,
  type Queries,
  readChangeSequence,
  serversOfZone,
  updateZone,
} from '@sallyport/store';
import { z } from 'zod';
import { requireScope, requireZones } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { newId } from '../domain/identifier.ts';
import { contentKeyPurpose } from '../domain/publish.ts';
import { readGlobalPolicy } from '../domain/zone-content.ts';
import { operation } from '../operation.ts';
import {
  asked,
  changed,
  commitResource,
  found,
  idParams,
  page,
  pageOf,
  pageQuery,
  requireVersion,
  requireWritten,
} from './answers.ts';

const changedZone = zone.extend(changed);

/** A new content key for a zone: its first, or a new key epoch after a node was removed. */
export async function startKeyEpoch(
  deps: Dependencies,
  change: Change,
  zoneId: string,
  keyEpoch: number,
): Promise<void> {
  const key = deps.randomBytes(32);
  const wrapped = await deps.keys.wrap(contentKeyPurpose(zoneId, keyEpoch), key);
  await insertContentKey(change.queries, { zone: zoneId, keyEpoch, wrapped, createdAt: change.at });
}

const propagation = z.strictObject({
  zone: z.string(),
  sequence: z.int(),
  /** Version that holds the change; absent while it is not published. */
  version: z.int().optional(),
  state: z.enum(['publishing', 'refused', 'rolling-out', 'live']),
  refusal: z.string().optional(),
  nodes: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      appliedVersion: z.int().optional(),
      live: z.boolean(),
    }),
  ),
});

const effective = z.strictObject({
  zone: z.string(),
  onInvalidCertificate: zone.shape.onInvalidCertificate,
  loginSettings: z.strictObject({ origin: z.enum(['global', 'zone']), value: loginSettings }),
  userClasses: z.strictObject({ origin: z.enum(['global', 'zone']), value: z.array(userClass) }),
  sslEntries: z.strictObject({ origin: z.enum(['global', 'zone']), value: z.array(sslEntry) }),
});

export const zoneOperations = [
  operation({
    route: 'GET /v1/zones',
    summary: 'List zones',
    query: z.strictObject(pageQuery),
    answers: pageOf(zone),
    async run(deps, { query, caller }) {
      const rows = await listZones(deps.store.queries, asked(query, caller));
      return ok({ body: page(rows, query.limit, (row) => row.id) });
    },
  }),
  operation({
    route: 'POST /v1/zones',
    summary: 'Create a zone',
    body: zoneCreate,
    answers: changedZone,
    status: 201,
    run(deps, { body, caller }) {
      requireZones(caller, 'all');
      return commitResource(deps, caller, async (change) => {
        if (await findZoneNamed(change.queries, body.name)) {
          unwrap(refuseField('alias-in-use', '/name', `there is a zone ${body.name} already`));
        }
        const row: Zone = {
          id: newId('zon', deps.randomBytes),
          ...body,
          enrolment: body.enrolment ?? (body.kind === 'edge' ? 'manual' : 'automatic'),
          version: 1,
          createdAt: change.at,
        };
        await insertZone(change.queries, row);
        await startKeyEpoch(deps, change, row.id, 1);
        change.audit('zone.create', `zone:${row.id}`, { name: row.name, kind: row.kind });
        change.touch([row.id]);
        return row;
      });
    },
  }),
  operation({
    route: 'GET /v1/zones/{id}',
    summary: 'Show a zone',
    params: idParams,
    answers: zone,
    async run(deps, { params, caller }) {
      requireZones(caller, [params.id]);
      const row = found(await findZone(deps.store.queries, params.id), 'zone');
      return ok({ body: row, version: row.version });
    },
  }),
  operation({
    route: 'PATCH /v1/zones/{id}',
    summary: 'Change a zone: its policy overrides, enrolment and snapshot lifetimes',
    params: idParams,
    body: zonePatch,
    answers: changedZone,
    precondition: 'if-match',
    run(deps, { params, body, caller, expectedVersion }) {
      requireZones(caller, [params.id]);
      return commitResource(deps, caller, async (change) => {
        const row = found(await findZone(change.queries, params.id), 'zone');
        requireVersion(row, expectedVersion);
        // Whoever lets every invited node in approves all that will come.
        if (body.enrolment === 'automatic' && row.enrolment !== 'automatic')
          requireScope(caller, 'nodes:approve');
        const next = { ...row, ...body, version: row.version + 1 } as Zone;
        const policy = effectivePolicy(await readGlobalPolicy(change.queries), next);
        for (const server of await serversOfZone(change.queries, row.id)) {
          const admits = checkAdmits(server, policy);
          if (admits.ok) continue;
          const detail = admits.fault.detail ?? 'nobody could log in';
          unwrap(refuseField('policy-refused', '/overrides/loginSettings', detail));
        }
        requireWritten(await updateZone(change.queries, next, expectedVersion));
        change.audit('zone.change', `zone:${row.id}`, { fields: Object.keys(body) });
        change.touch([row.id]);
        return next;
      });
    },
  }),
  operation({
    route: 'GET /v1/zones/{id}/effective',
    summary: 'Show the policy in force in a zone, and where each document comes from',
    params: idParams,
    answers: effective,
    async run(deps, { params, caller }) {
      requireZones(caller, [params.id]);
      const row = found(await findZone(deps.store.queries, params.id), 'zone');
      const policy = effectivePolicy(await readGlobalPolicy(deps.store.queries), row);
      const origin = (name: keyof typeof row.overrides) =>
        row.overrides[name] === undefined ? 'global' : 'zone';
      return ok({
        body: {
          zone: row.id,
          onInvalidCertificate: policy.onInvalidCertificate,
          loginSettings: { origin: origin('loginSettings'), value: policy.loginSettings },
          userClasses: { origin: origin('userClasses'), value: [...policy.userClasses] },
          sslEntries: { origin: origin('sslEntries'), value: [...policy.sslEntries] },
        },
      });
    },
  }),
  operation({
    route: 'GET /v1/zones/{id}/propagation',
    summary: 'Show which nodes run a change',
    params: idParams,
    query: z.strictObject({ sequence: z.coerce.number().int().min(0) }),
    answers: propagation,
    async run(deps, { params, query, caller }) {
      requireZones(caller, [params.id]);
      found(await findZone(deps.store.queries, params.id), 'zone');
      return ok({ body: await propagationOf(deps, params.id, query.sequence) });
    },
  }),
];

/** Does the zone's version hold all that a change means for it? One that did not concern the zone it holds as well. */
async function covers(queries: Queries, publication: PublicationRow, sequence: number): Promise<boolean> {
  if (publication.coveredSequence >= sequence) return true;
  if (publication.refusal !== null || (await readChangeSequence(queries)) < sequence) return false;
  return (await pendingSequence(queries, publication.zone)) === undefined;
}

async function propagationOf(
  deps: Dependencies,
  zoneId: string,
  sequence: number,
): Promise<z.input<typeof propagation>> {
  return deps.store.read(async (queries) => {
    const publication = await findPublication(queries, zoneId);
    const covered = publication !== undefined && (await covers(queries, publication, sequence));
    const holding =
      covered && publication
        ? await firstSnapshotAt(queries, zoneId, publication.trustEpoch, sequence)
        : undefined;
    const version = covered ? (holding?.version ?? publication?.version) : undefined;
    const nodes = (await activeNodes(queries, zoneId)).map((node) => ({
      id: node.id,
      name: node.name,
      ...(node.appliedVersion === null ? {} : { appliedVersion: node.appliedVersion }),
      live: version !== undefined && node.appliedVersion !== null && node.appliedVersion >= version,
    }));
    const common = { zone: zoneId, sequence, nodes };
    if (version === undefined) {
      const refusal = publication?.refusal;
      return refusal ? { ...common, state: 'refused', refusal } : { ...common, state: 'publishing' };
    }
    return { ...common, version, state: nodes.every((node) => node.live) ? 'live' : 'rolling-out' };
  });
}
