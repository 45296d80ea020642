import { ok } from '@sallyport/faults';
import { id, type Lockout, lockout, lockoutCounters } from '@sallyport/model';
import { findLockout, type LockoutRow, listLockouts } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { announceDenials } from '../domain/deny-list.ts';
import { endLockout } from '../domain/lockouts.ts';
import { operation } from '../operation.ts';
import { asked, changeAnswer, commit, found, idParams, page, pageOf, pageQuery } from './answers.ts';

const lockoutQuery = z.strictObject({
  ...pageQuery,
  zone: id.optional(),
  counter: z.enum(lockoutCounters).optional(),
  /** Login name. */
  account: z.string().max(80).optional(),
  source: z.string().max(64).optional(),
});

const lockoutView = ({ key: _key, account, source, ...row }: LockoutRow): Lockout => ({
  ...row,
  ...(account === null ? {} : { account }),
  ...(source === null ? {} : { source }),
});

export const lockoutOperations = [
  operation({
    route: 'GET /v1/lockouts',
    summary: 'List who is locked out now, as the nodes of the zones share it',
    query: lockoutQuery,
    answers: pageOf(lockout),
    async run(deps, { query, caller }) {
      if (query.zone !== undefined) requireZones(caller, [query.zone]);
      const { limit: _limit, cursor: _cursor, ...filter } = query;
      const at = new Date(deps.now()).toISOString();
      const rows = await listLockouts(deps.store.queries, asked(query, caller), filter, at);
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map(lockoutView) } });
    },
  }),
  operation({
    route: 'DELETE /v1/lockouts/{id}',
    summary: 'Unlock: the nodes of the zone forget what they have counted',
    params: idParams,
    answers: changeAnswer,
    async run(deps, { params, caller }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = found(await findLockout(change.queries, params.id), 'lock-out');
        requireZones(caller, [row.zone]);
        await endLockout(change, row);
        const { zone, counter, account, source } = row;
        change.audit('lockout.end', `lockout:${row.id}`, { zone, counter, account, source });
        return zone;
      });
      if (!committed.ok) return committed;
      const { value: zone, changeSequence } = committed.value;
      deps.defer(() => announceDenials(deps, zone));
      return ok({ body: { changeSequence } });
    },
  }),
];
