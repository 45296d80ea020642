import { ok, refuseField, unwrap } from '@sallyport/faults';
import { joinToken, joinTokenCreate, type Node, type NodePatch, node, nodePatch } from '@sallyport/model';
import {
  deleteSessionsOf,
  findNode,
  findZone,
  type JoinTokenRow,
  listJoinTokens,
  listNodes,
  type NodeRow,
  newestContentKey,
  type Queries,
  serversOfZone,
  updateNode,
} from '@sallyport/store';
import { z } from 'zod';
import { requireScope, requireZones } from '../caller.ts';
import { makeJoinToken } from '../domain/join.ts';
import { operation } from '../operation.ts';
import {
  asked,
  changed,
  commit,
  commitResource,
  found,
  idParams,
  page,
  pageOf,
  pageQuery,
  requireVersion,
  requireWritten,
} from './answers.ts';
import { startKeyEpoch } from './zones.ts';

function nodeView(row: NodeRow): Node {
  const {
    statusSequence: _status,
    eventSequence: _event,
    lastSeenAt,
    appliedVersion,
    serving,
    ...rest
  } = row;
  return {
    ...rest,
    ...(lastSeenAt === null ? {} : { lastSeenAt }),
    ...(appliedVersion === null ? {} : { appliedVersion }),
    ...(serving === null ? {} : { serving }),
  };
}

function joinTokenView(row: JoinTokenRow, now: number): z.input<typeof joinToken> {
  const expired = Date.parse(row.expiresAt) <= now;
  return {
    id: row.id,
    zone: row.zone,
    ...(row.nodeName === null ? {} : { nodeName: row.nodeName }),
    ...(row.sourceCidr === null ? {} : { sourceCidr: row.sourceCidr }),
    expiresAt: row.expiresAt,
    state: row.spentBy !== null ? 'spent' : expired ? 'expired' : 'open',
    ...(row.node === null ? {} : { node: row.node }),
    createdAt: row.createdAt,
  };
}

/** A node overrides servers of its own zone, each once. */
async function checkOverrides(
  queries: Queries,
  zone: string,
  overrides: NonNullable<NodePatch['overrides']>,
): Promise<void> {
  const servers = new Set((await serversOfZone(queries, zone)).map((server) => server.id));
  for (const [index, { server }] of overrides.entries()) {
    const pointer = `/overrides/${index}/server`;
    // Deleting makes a second override of the same server as unknown as one of another zone.
    if (!servers.delete(server))
      unwrap(refuseField('invalid-request', pointer, 'there is no such server, or it is named twice'));
  }
}

export const nodeOperations = [
  operation({
    route: 'GET /v1/nodes',
    summary: 'List nodes and what they run',
    query: z.strictObject(pageQuery),
    answers: pageOf(node),
    async run(deps, { query, caller }) {
      const rows = await listNodes(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map(nodeView) } });
    },
  }),
  operation({
    route: 'GET /v1/nodes/{id}',
    summary: 'Show a node',
    params: idParams,
    answers: node,
    async run(deps, { params, caller }) {
      const row = found(await findNode(deps.store.queries, params.id), 'node');
      requireZones(caller, [row.zone]);
      return ok({ body: nodeView(row), version: row.version });
    },
  }),
  operation({
    route: 'PATCH /v1/nodes/{id}',
    summary: 'Approve a pending node, remove one, or override its listeners',
    params: idParams,
    body: nodePatch,
    answers: node.extend(changed),
    precondition: 'if-match',
    run(deps, { params, body, caller, expectedVersion }) {
      return commitResource(deps, caller, async (change) => {
        const row = found(await findNode(change.queries, params.id), 'node');
        requireZones(caller, [row.zone]);
        if (body.state === 'active') requireScope(caller, 'nodes:approve');
        requireVersion(row, expectedVersion);
        // A removed node comes back by joining again, with new keys.
        if (row.state === 'removed') requireWritten(false);
        await checkOverrides(change.queries, row.zone, body.overrides ?? []);
        requireWritten(await updateNode(change.queries, row.id, body as Partial<NodeRow>, expectedVersion));
        if (body.state === 'removed') {
          await deleteSessionsOf(change.queries, row.id);
          const current = await newestContentKey(change.queries, row.zone);
          await startKeyEpoch(deps, change, row.zone, (current?.keyEpoch ?? 0) + 1);
        }
        change.audit('node.change', `node:${row.id}`, { ...body });
        change.touch([row.zone]);
        return nodeView(found(await findNode(change.queries, row.id), 'node'));
      });
    },
  }),
  operation({
    route: 'GET /v1/join-tokens',
    summary: 'List join tokens, without their secrets',
    query: z.strictObject(pageQuery),
    answers: pageOf(joinToken),
    async run(deps, { query, caller }) {
      const rows = await listJoinTokens(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map((row) => joinTokenView(row, deps.now())) } });
    },
  }),
  operation({
    route: 'POST /v1/join-tokens',
    summary: 'Invite a node into a zone; the token is answered once',
    body: joinTokenCreate,
    answers: joinToken.extend(changed).extend({ joinToken: z.string() }),
    status: 201,
    async run(deps, { body, caller, origin }) {
      requireZones(caller, [body.zone]);
      const committed = await commit(deps, caller, async (change) => {
        if (!(await findZone(change.queries, body.zone)))
          unwrap(refuseField('invalid-request', '/zone', 'there is no such zone'));
        const made = await makeJoinToken(deps, change, body, origin);
        change.audit('join-token.create', `join-token:${made.row.id}`, { zone: body.zone });
        return made;
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      return ok({ body: { ...joinTokenView(value.row, deps.now()), joinToken: value.text, changeSequence } });
    },
  }),
];
