import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { copyOf, fromBase64, fromBase64Url, toBase64 } from '@sallyport/bytes';
import { type JoinTicket, joinProof, parseJoinToken } from '@sallyport/enrolment';
import { type FaultCode, FaultError, faults, ok, type Result, refuse } from '@sallyport/faults';
import { type JoinRequest, joinAnswer } from '@sallyport/model';
import { generateSealingKey, pinRoot } from '@sallyport/snapshot/node';
import { z } from 'zod';
import { readIfThere, writeAtomic } from '../atomic-file.ts';
import { type IdentityFile, loadIdentity, makeNodeHome, type NodePaths, saveIdentity } from './identity.ts';

export type Joined = { readonly node: string; readonly zone: string; readonly state: 'pending' | 'active' };

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
const joinTimeoutMs = 30_000;

/** A name for this machine, as an alias. */
const machineName = (): string =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80) || 'node';

/** Keys of a join under way, kept until it has succeeded: a retry with the same keys gets the same answer. */
const pendingKeys = z.strictObject({
  signingKey: z.base64(),
  sealingKey: z.base64(),
  sealingPublicKey: z.base64(),
});

/**
 * Enrols this machine (design section 5): makes its keys, proves the token's secret, pins the root that the token
 * names. Safe to run again after a cut connection.
 *
 * @param token as pasted by the operator
 * @param home folder of the node
 * @param name of the node; the token's, else the machine's, where it is left out
 * @returns who the node is now; a `join-*` fault, `root-mismatch`, or `in-use` where this home has joined already
 */
export async function joinZone(token: string, home: string, name?: string): Promise<Result<Joined>> {
  const ticket = parseJoinToken(token);
  if (!ticket.ok) return ticket;
  const url = new URL(ticket.value.url);
  if (url.protocol !== 'https:' && !loopbackHosts.has(url.hostname)) {
    return refuse('join-token-invalid', 'the control plane must be reached over https, except on loopback');
  }
  const paths = await makeNodeHome(home);
  if (await loadIdentity(paths)) return refuse('in-use', `${home} has joined already`);

  const keys = await loadOrMakeKeys(paths.joining);
  const nodeName = name ?? ticket.value.nodeName ?? machineName();
  const request = makeRequest(ticket.value, nodeName, keys);
  const answer = await sendJoin(ticket.value.url, request);
  if (!answer.ok) return answer;
  const root = await pinRoot(answer.value.root, ticket.value.root);
  if (!root.ok) return root;
  if (answer.value.zone !== ticket.value.zone)
    return refuse('snapshot-zone', 'the answer is for another zone');

  await writeAtomic(paths.root, root.value.envelope);
  const identity: IdentityFile = {
    node: answer.value.node,
    name: nodeName,
    zone: answer.value.zone,
    controlPlane: ticket.value.url.replace(/\/+$/, ''),
    signingKey: keys.signingKey,
    sealingKey: keys.sealingKey,
  };
  await saveIdentity(paths, identity);
  await forgetJoin(paths);
  return ok({ node: answer.value.node, zone: answer.value.zone, state: answer.value.state });
}

/** Removes the keys' second copy once the identity holds them; a node does so at its start, should a join have been cut here. */
export const forgetJoin = (paths: NodePaths): Promise<void> => rm(paths.joining, { force: true });

async function loadOrMakeKeys(file: string): Promise<z.infer<typeof pendingKeys>> {
  const held = await readIfThere(file);
  if (held) return pendingKeys.parse(JSON.parse(held.toString('utf8')));
  const signing = generateKeyPairSync('ed25519');
  const sealing = await generateSealingKey();
  const keys = {
    signingKey: signing.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    sealingKey: toBase64(sealing.privateKey),
    sealingPublicKey: toBase64(sealing.publicKey),
  };
  await writeAtomic(file, JSON.stringify(keys));
  return keys;
}

function makeRequest(ticket: JoinTicket, name: string, keys: z.infer<typeof pendingKeys>): JoinRequest {
  const privateKey = createPrivateKey({
    key: Buffer.from(keys.signingKey, 'base64'),
    format: 'der',
    type: 'pkcs8',
  });
  const publicJwk = privateKey.export({ format: 'jwk' });
  const signingKey = fromBase64Url(publicJwk.x ?? '');
  const proof = joinProof(fromBase64Url(ticket.secret), {
    token: ticket.token,
    name,
    signingKey,
    sealingKey: fromBase64(keys.sealingPublicKey),
  });
  return {
    token: ticket.token,
    name,
    signingKey: toBase64(signingKey),
    sealingKey: keys.sealingPublicKey,
    proof: toBase64(proof),
    signature: toBase64(copyOf(sign(null, proof, privateKey))),
  };
}

async function sendJoin(url: string, request: JoinRequest): Promise<Result<z.infer<typeof joinAnswer>>> {
  let response: Response;
  try {
    response = await fetch(new URL('/v1/node/join', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      redirect: 'error',
      signal: AbortSignal.timeout(joinTimeoutMs),
    });
  } catch (cause) {
    throw new FaultError(
      { code: 'internal', detail: `the control plane at ${url} does not answer` },
      { cause },
    );
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const problem = z.object({ code: z.string(), detail: z.string().optional() }).safeParse(body);
    const code =
      problem.success && problem.data.code in faults
        ? (problem.data.code as FaultCode)
        : 'join-token-invalid';
    return refuse(code, problem.success ? problem.data.detail : `HTTP ${response.status}`);
  }
  const parsed = joinAnswer.safeParse(body);
  return parsed.success
    ? ok(parsed.data)
    : refuse('snapshot-malformed', 'the answer to the join does not parse');
}
