import { ok } from '@sallyport/faults';
import { id, type Session, serverProtocols, session, time } from '@sallyport/model';
import { findSession, listSessions, type SessionRow } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { announceDenials, denySession } from '../domain/deny-list.ts';
import { operation } from '../operation.ts';
import { asked, changed, commit, found, page, pageOf, pageQuery } from './answers.ts';

const sessionParams = z.strictObject({ id: z.uuid() });

const sessionQuery = z.strictObject({
  ...pageQuery,
  zone: id.optional(),
  node: id.optional(),
  server: id.optional(),
  /** Login name. */
  account: z.string().max(80).optional(),
  source: z.string().max(64).optional(),
  protocol: z.enum(serverProtocols).optional(),
  outdated: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
});

function sessionView({ credential, certificate, seenAt, ...row }: SessionRow): Session {
  return {
    ...row,
    ...(credential === null ? {} : { credential }),
    ...(certificate === null ? {} : { certificate }),
    seenAt: seenAt ?? row.since,
  };
}

export const sessionOperations = [
  operation({
    route: 'GET /v1/sessions',
    summary: 'List live sessions, as their nodes last told of them',
    query: sessionQuery,
    answers: pageOf(session),
    async run(deps, { query, caller }) {
      if (query.zone !== undefined) requireZones(caller, [query.zone]);
      const { limit: _limit, cursor: _cursor, ...filter } = query;
      const rows = await listSessions(deps.store.queries, asked(query, caller), filter);
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map(sessionView) } });
    },
  }),
  operation({
    route: 'GET /v1/sessions/{id}',
    summary: 'Show a live session',
    params: sessionParams,
    answers: session,
    async run(deps, { params, caller }) {
      const row = found(await findSession(deps.store.queries, params.id), 'session');
      requireZones(caller, [row.zone]);
      return ok({ body: sessionView(row) });
    },
  }),
  operation({
    route: 'POST /v1/sessions/{id}/end',
    summary: 'Have a live session ended by its node, whatever it is doing',
    params: sessionParams,
    answers: session.extend(changed).extend({ deniedUntil: time }),
    status: 202,
    async run(deps, { params, caller }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = found(await findSession(change.queries, params.id), 'session');
        requireZones(caller, [row.zone]);
        const deniedUntil = await denySession(change, row);
        const { account, node, server } = row;
        change.audit('session.end', `session:${row.id}`, { account, node, server });
        return { ...sessionView({ ...row, ending: true }), deniedUntil };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      deps.defer(() => announceDenials(deps, value.zone));
      return ok({ body: { ...value, changeSequence } });
    },
  }),
];
