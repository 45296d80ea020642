import { equalConstantTime, fromBase64, sha256Hex, toBase64Url } from '@sallyport/bytes';
import { formatJoinToken, joinProof, verifyEd25519 } from '@sallyport/enrolment';
import { FaultError, unwrap } from '@sallyport/faults';
import type { JoinAnswer, JoinRequest, JoinTokenCreate } from '@sallyport/model';
import { addressIn } from '@sallyport/policy';
import { rootFingerprint } from '@sallyport/snapshot';
import {
  type Change,
  findJoinToken,
  findNode,
  findNodeNamed,
  findZone,
  insertJoinToken,
  insertNode,
  type JoinTokenRow,
  type NodeRow,
  newestRoot,
  type Queries,
  spendJoinToken,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { newId } from './identifier.ts';

const secretPurpose = (token: string): string => `join-token:${token}`;

/** Ids of nodes are derived from their signing key, so that a retry with the same key is the same node. */
const nodeIdOf = (signingKey: string): string => `nod_${sha256Hex(fromBase64(signingKey)).slice(0, 24)}`;

/** Makes a join token: the row, and the text that is answered once. */
export async function makeJoinToken(
  deps: Dependencies,
  change: Change,
  request: JoinTokenCreate,
  url: string,
): Promise<{ row: JoinTokenRow; text: string }> {
  const root = await newestRoot(change.queries);
  if (!root) throw new FaultError({ code: 'internal', detail: 'there is no root metadata' });
  const id = newId('jtk', deps.randomBytes);
  const secret = deps.randomBytes(32);
  const row: JoinTokenRow = {
    id,
    zone: request.zone,
    nodeName: request.nodeName ?? null,
    sourceCidr: request.sourceCidr ?? null,
    secret: await deps.keys.wrap(secretPurpose(id), secret),
    expiresAt: new Date(deps.now() + request.validSeconds * 1000).toISOString(),
    spentBy: null,
    node: null,
    createdAt: change.at,
  };
  await insertJoinToken(change.queries, row);
  const text = formatJoinToken({
    url,
    root: unwrap(rootFingerprint(root.envelope)),
    zone: request.zone,
    token: id,
    secret: toBase64Url(secret),
    ...(request.nodeName === undefined ? {} : { nodeName: request.nodeName }),
  });
  return { row, text };
}

/**
 * Judges a join request before anything is written, so that nobody without the token's secret makes the database work:
 * the HMAC proves the secret, the signature the new key, and source address and name are those of the token.
 * Throws FaultError with a `join-*` code.
 *
 * @param source address that the request came from, where the platform tells it
 * @returns the answer to a retry of the node that has spent the token; nothing where the join is still to be made
 */
export async function judgeJoin(
  deps: Dependencies,
  request: JoinRequest,
  source: string | undefined,
): Promise<JoinAnswer | undefined> {
  const { queries } = deps.store;
  const token = await findJoinToken(queries, request.token);
  if (!token) throw new FaultError({ code: 'join-token-invalid' });
  await requireProof(deps, token, request);
  if (token.sourceCidr !== null && !(source && addressIn(source, [token.sourceCidr]))) {
    throw new FaultError({ code: 'join-token-invalid', detail: 'the token is for another source address' });
  }
  if (token.nodeName !== null && token.nodeName !== request.name) {
    throw new FaultError({ code: 'join-token-invalid', detail: 'the token is for another node name' });
  }
  if (token.spentBy !== null) return repeatedAnswer(queries, token, request);
  if (Date.parse(token.expiresAt) <= deps.now()) throw new FaultError({ code: 'join-token-expired' });
  return undefined;
}

/**
 * Enrols a node whose request was judged (design section 5): one conditional UPDATE spends the token, a retry with the
 * same keys gets the same answer, another key is refused. Throws FaultError with a `join-*` code.
 */
export async function joinNode(change: Change, request: JoinRequest): Promise<JoinAnswer> {
  const token = await findJoinToken(change.queries, request.token);
  const zone = token && (await findZone(change.queries, token.zone));
  const root = await newestRoot(change.queries);
  if (!token || !zone || !root) throw new FaultError({ code: 'join-token-invalid' });
  const id = nodeIdOf(request.signingKey);
  if (!(await spendJoinToken(change.queries, token.id, request.signingKey, id))) {
    return repeatedAnswer(change.queries, token, request);
  }
  if (await findNodeNamed(change.queries, request.name)) {
    const detail = `there is a node ${request.name} already`;
    throw new FaultError({ code: 'alias-in-use', detail, fields: [{ pointer: '/name', detail }] });
  }
  if (await findNode(change.queries, id))
    throw new FaultError({ code: 'join-proof-invalid', detail: 'the key is in use' });
  const state = zone.enrolment === 'manual' ? 'pending' : 'active';
  await insertNode(change.queries, newNode(id, request, zone.id, state, change.at));
  change.audit('node.join', `node:${id}`, { name: request.name, zone: zone.id, state, joinToken: token.id });
  if (state === 'active') change.touch([zone.id]);
  return { node: id, zone: zone.id, state, root: root.envelope };
}

/** What the node that spent the token was told, as it is now; another node is refused. */
async function repeatedAnswer(
  queries: Queries,
  token: JoinTokenRow,
  request: JoinRequest,
): Promise<JoinAnswer> {
  const joined = token.spentBy === request.signingKey ? await findNode(queries, token.node ?? '') : undefined;
  const root = await newestRoot(queries);
  if (!joined || !root || joined.sealingKey !== request.sealingKey || joined.state === 'removed') {
    throw new FaultError({ code: 'join-token-spent' });
  }
  return { node: joined.id, zone: joined.zone, state: joined.state, root: root.envelope };
}

async function requireProof(deps: Dependencies, token: JoinTokenRow, request: JoinRequest): Promise<void> {
  const signingKey = fromBase64(request.signingKey);
  const sealingKey = fromBase64(request.sealingKey);
  if (signingKey.length !== 32 || sealingKey.length !== 32) {
    throw new FaultError({ code: 'join-proof-invalid', detail: 'keys have 32 bytes' });
  }
  const secret = await deps.keys.unwrap(secretPurpose(token.id), token.secret);
  const proof = joinProof(secret, { token: token.id, name: request.name, signingKey, sealingKey });
  const proved =
    equalConstantTime(proof, fromBase64(request.proof)) &&
    (await verifyEd25519(signingKey, fromBase64(request.signature), proof));
  if (!proved) throw new FaultError({ code: 'join-proof-invalid' });
}

function newNode(
  id: string,
  request: JoinRequest,
  zone: string,
  state: NodeRow['state'],
  createdAt: string,
): NodeRow {
  return {
    id,
    name: request.name,
    zone,
    state,
    signingKey: request.signingKey,
    sealingKey: request.sealingKey,
    overrides: [],
    lastSeenAt: null,
    appliedVersion: null,
    serving: null,
    items: [],
    statusSequence: 0,
    eventSequence: 0,
    version: 1,
    createdAt,
  };
}
