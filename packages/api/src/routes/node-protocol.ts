import { FaultError, ok, refuse } from '@sallyport/faults';
import { eventBatch, joinAnswer, joinRequest, nodeStatus, pollAnswer, sha256 } from '@sallyport/model';
import {
  advanceEventSequence,
  findBlob,
  findNode,
  findRoot,
  insertEvents,
  type NodeRow,
  recordNodeStatus,
  replaceSessions,
} from '@sallyport/store';
import { z } from 'zod';
import type { Caller } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { currentDocuments } from '../domain/current-documents.ts';
import { announceDenials, currentDenyList } from '../domain/deny-list.ts';
import { keepHostKeyReceipts } from '../domain/host-key-receipts.ts';
import { newId } from '../domain/identifier.ts';
import { joinNode, judgeJoin } from '../domain/join.ts';
import { keepLockouts } from '../domain/lockouts.ts';
import { publishTouched } from '../domain/publish.ts';
import { operation } from '../operation.ts';
import { commit, found } from './answers.ts';

const longestPollSeconds = 30;

const pollQuery = z.strictObject({
  /** Version the node runs; 0 for none. */
  after: z.coerce.number().int().min(0).default(0),
  /** Trust epoch of that version. */
  epoch: z.coerce.number().int().min(0).default(0),
  /** `issuedAt` of the timestamp it holds, in milliseconds. */
  issuedAt: z.coerce.number().int().min(0).default(0),
  /** Version of the root it trusts. */
  root: z.coerce.number().int().min(0).default(0),
  /** Sequence of the deny list it holds in the trust epoch of that root. */
  deny: z.coerce.number().int().min(0).default(0),
  /** How long the answer may wait for news, in seconds. */
  wait: z.coerce.number().int().min(0).max(longestPollSeconds).default(0),
});

function callingNode(caller: Caller): NodeRow {
  if (caller.kind !== 'node') throw new FaultError({ code: 'forbidden' });
  return caller.node;
}

/**
 * Answers as soon as there is news for the node: a higher version, a newer timestamp, root or deny list; else when time
 * is up.
 */
async function poll(
  deps: Dependencies,
  node: NodeRow,
  held: z.output<typeof pollQuery>,
  signal: AbortSignal,
): Promise<z.input<typeof pollAnswer>> {
  const deadline = deps.now() + held.wait * 1000;
  // A change whose publication was cut short is taken up by the next poll of its zone. Once for each poll is enough:
  // every look of every waiting node would be a crowd.
  await publishTouched(deps, [node.zone]);
  for (;;) {
    const position = deps.feed.position(node.zone);
    const { publication, snapshot, root, resignAt } = await currentDocuments(deps, node.zone);
    const denyList = await currentDenyList(deps, node.zone);
    // Asked after the documents were read: a node that was removed while it waited gets no news of what came after it.
    const stillActive = await findNode(deps.store.queries, node.id);
    if (stillActive?.state !== 'active') throw new FaultError({ code: 'node-signature-invalid' });
    const newVersion =
      publication.trustEpoch !== held.epoch ? publication.version > 0 : publication.version > held.after;
    const newDenyList = denyList !== undefined && denyList.sequence > held.deny;
    const news =
      newVersion || newDenyList || publication.issuedAt > held.issuedAt || root.version > held.root;
    const now = deps.now();
    if (news || now >= deadline || signal.aborted) {
      // A root is followed one step at a time: the next one first, nothing else with it.
      const nextRoot =
        held.root > 0 && root.version > held.root
          ? (await findRoot(deps.store.queries, held.root + 1))?.envelope
          : undefined;
      return {
        timestamp: publication.timestamp,
        ...(newVersion ? { manifest: snapshot.manifest } : {}),
        ...(nextRoot === undefined ? {} : { root: nextRoot }),
        ...(newDenyList ? { denyList: denyList.envelope } : {}),
      };
    }
    const nextLookAt = Math.min(deadline, resignAt, denyList?.resignAt ?? deadline);
    await deps.feed.wait(node.zone, position, Math.max(1, nextLookAt - now), signal);
  }
}

export const nodeProtocolOperations = [
  operation({
    route: 'POST /v1/node/join',
    summary: 'Enrol this machine as a node, with a join token',
    body: joinRequest,
    answers: joinAnswer,
    maxBodyBytes: 8_192,
    async run(deps, { body, source }) {
      const repeated = await judgeJoin(deps, body, source);
      if (repeated) return ok({ body: repeated });
      const invited = { kind: 'invited', joinToken: body.token } as const;
      const committed = await commit(deps, invited, (change) => joinNode(change, body));
      return committed.ok ? ok({ body: committed.value.value }) : committed;
    },
  }),
  operation({
    route: 'GET /v1/node/poll',
    summary: 'Wait for news of the zone’s snapshot',
    query: pollQuery,
    answers: pollAnswer,
    run: async (deps, { query, caller, signal }) =>
      ok({ body: await poll(deps, callingNode(caller), query, signal) }),
  }),
  operation({
    route: 'GET /v1/node/sections/{digest}',
    summary: 'Fetch stored section bytes by their digest',
    params: z.strictObject({ digest: sha256 }),
    answers: 'bytes',
    async run(deps, { params, caller }) {
      const bytes = await findBlob(deps.store.queries, callingNode(caller).zone, params.digest);
      if (!bytes) return refuse('not-found', 'the zone has no section of that digest');
      return ok({ body: bytes, headers: { 'cache-control': 'private, max-age=31536000, immutable' } });
    },
  }),
  operation({
    route: 'GET /v1/node/roots/{version}',
    summary: 'Fetch root metadata by version',
    params: z.strictObject({ version: z.coerce.number().int().min(1) }),
    answers: 'text',
    async run(deps, { params }) {
      const root = found(await findRoot(deps.store.queries, params.version), 'root');
      return ok({ body: root.envelope });
    },
  }),
  operation({
    route: 'POST /v1/node/status',
    summary: 'Report what the node runs, item by item, and its live sessions',
    body: nodeStatus,
    answers: z.strictObject({ accepted: z.literal(true) }),
    maxBodyBytes: 8_388_608,
    async run(deps, { body, caller }) {
      const node = callingNode(caller);
      const seenAt = new Date(deps.now()).toISOString();
      const recorded = await deps.store.record(async (queries) => {
        if (!(await recordNodeStatus(queries, node.id, body, seenAt))) return false;
        if (body.sessions)
          await replaceSessions(queries, { node: node.id, zone: node.zone }, body.sessions.items);
        return true;
      });
      return recorded ? ok({ body: { accepted: true as const } }) : refuse('node-replayed');
    },
  }),
  operation({
    route: 'POST /v1/node/events',
    summary: 'Deliver login and transfer events',
    body: eventBatch,
    answers: z.strictObject({ accepted: z.literal(true) }),
    maxBodyBytes: 4_194_304,
    async run(deps, { body, caller }) {
      const node = callingNode(caller);
      const recorded = await deps.store.record(async (queries) => {
        if (!(await advanceEventSequence(queries, node.id, body.sequence))) return undefined;
        await insertEvents(queries, { node: node.id, zone: node.zone }, body.events);
        await keepHostKeyReceipts(queries, node.zone, body.events);
        const lockoutId = () => newId('lck', deps.randomBytes);
        return { locked: await keepLockouts(queries, node, body.events, deps.now(), lockoutId) };
      });
      if (recorded?.locked) deps.defer(() => announceDenials(deps, node.zone));
      return recorded ? ok({ body: { accepted: true as const } }) : refuse('node-replayed');
    },
  }),
];
