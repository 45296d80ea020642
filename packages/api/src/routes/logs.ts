import { ok } from '@sallyport/faults';
import { auditRow, id, storedEvent } from '@sallyport/model';
import { findPublication, listAudit, listEvents, listSnapshots } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { operation } from '../operation.ts';

const after = {
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
};

const snapshotView = z.strictObject({
  zone: z.string(),
  trustEpoch: z.int(),
  version: z.int(),
  sequence: z.int(),
  digest: z.string(),
  createdAt: z.string(),
  current: z.boolean(),
});

export const logOperations = [
  operation({
    route: 'GET /v1/health',
    summary: 'Is the control plane able to serve?',
    answers: z.strictObject({ status: z.literal('ok') }),
    run: async () => ok({ body: { status: 'ok' as const } }),
  }),
  operation({
    route: 'GET /v1/audit',
    summary: 'Read the audit log, oldest first',
    query: z.strictObject(after),
    answers: z.strictObject({ items: z.array(auditRow) }),
    async run(deps, { query, caller }) {
      requireZones(caller, 'all');
      return ok({ body: { items: await listAudit(deps.store.queries, query.after, query.limit) } });
    },
  }),
  operation({
    route: 'GET /v1/events',
    summary: 'Read login and transfer events, oldest first',
    query: z.strictObject({ ...after, zone: id.optional() }),
    answers: z.strictObject({ items: z.array(storedEvent.extend({ position: z.int() })) }),
    async run(deps, { query, caller }) {
      requireZones(caller, query.zone === undefined ? 'all' : [query.zone]);
      const rows = await listEvents(deps.store.queries, query.after, query.limit, query.zone);
      return ok({
        body: {
          items: rows.map((row) => ({ ...row.body, node: row.node, zone: row.zone, position: row.position })),
        },
      });
    },
  }),
  operation({
    route: 'GET /v1/snapshots',
    summary: 'List the published versions of a zone, newest first',
    query: z.strictObject({
      zone: id,
      below: z.coerce.number().int().min(1).default(Number.MAX_SAFE_INTEGER),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    answers: z.strictObject({ items: z.array(snapshotView) }),
    async run(deps, { query, caller }) {
      requireZones(caller, [query.zone]);
      const { queries } = deps.store;
      const publication = await findPublication(queries, query.zone);
      const rows = await listSnapshots(queries, query.zone, query.below, query.limit);
      return ok({
        body: {
          items: rows.map(({ manifest: _manifest, ...row }) => ({
            ...row,
            current: row.version === publication?.version && row.trustEpoch === publication.trustEpoch,
          })),
        },
      });
    },
  }),
];
