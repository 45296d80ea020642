import { fromBase64Url, toBase64, utf8 } from '@sallyport/bytes';
import { type JoinTicket, joinProof, parseJoinToken, signRequest } from '@sallyport/enrolment';
import { unwrap } from '@sallyport/faults';
import type { JoinRequest, LiveSession } from '@sallyport/model';
import {
  type DenyListDocument,
  generateSealingKey,
  type ManifestDocument,
  nodeIndexKey,
  openSnapshot,
  pinRoot,
  type SnapshotReader,
  type TimestampDocument,
  verifyDenyList,
  verifyManifest,
  verifyTimestamp,
} from '@sallyport/snapshot/node';
import { expect } from 'vitest';
import { type Answer, answerOf, type Json, type World } from './world.ts';

export type NodeKeys = {
  readonly signing: CryptoKeyPair;
  readonly sealing: Awaited<ReturnType<typeof generateSealingKey>>;
};

export async function nodeKeys(): Promise<NodeKeys> {
  const signing = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  return { signing, sealing: await generateSealingKey() };
}

const signWith = (keys: NodeKeys) => async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.sign('Ed25519', keys.signing.privateKey, bytes));

/** The join request of a node; `forged` replaces fields after the proof was made. */
export async function joinRequest(
  ticket: JoinTicket,
  name: string,
  keys: NodeKeys,
  forged: Partial<JoinRequest> = {},
): Promise<JoinRequest> {
  const signingKey = new Uint8Array(await crypto.subtle.exportKey('raw', keys.signing.publicKey));
  const sealingKey = keys.sealing.publicKey;
  const proof = joinProof(fromBase64Url(ticket.secret), {
    token: ticket.token,
    name,
    signingKey,
    sealingKey,
  });
  return {
    token: ticket.token,
    name,
    signingKey: toBase64(signingKey),
    sealingKey: toBase64(sealingKey),
    proof: toBase64(proof),
    signature: toBase64(await signWith(keys)(proof)),
    ...forged,
  };
}

export type TestNode = {
  readonly id: string;
  readonly zone: string;
  /** A signed request, `GET /v1/node/poll`. */
  readonly request: (route: string, options?: SendOptions) => Promise<Response>;
  readonly send: (route: string, options?: SendOptions) => Promise<Answer>;
  /** Long poll of a node that holds version `after` and, unless `issuedAt` says otherwise, the newest timestamp. */
  readonly poll: (held: { after: number; issuedAt?: number; deny?: number; wait: number }) => Promise<Answer>;
  /** Reports these sessions; what it reported before is gone. */
  readonly report: (sessions: readonly LiveSession[]) => Promise<Answer>;
  /** Root that it trusts, as it was answered when it joined. */
  readonly root: string;
  /** Fetches, verifies, decrypts and opens the zone's current snapshot as a node does. */
  readonly snapshot: () => Promise<{
    readonly timestamp: TimestampDocument;
    readonly manifest: ManifestDocument;
    readonly reader: SnapshotReader;
  }>;
};

export type SendOptions = {
  readonly body?: unknown;
  /** Sent in place of what was signed. */
  readonly sentBody?: string;
  readonly sentRoute?: string;
  /** The node's clock, in milliseconds. */
  readonly now?: number;
  readonly keys?: NodeKeys;
  readonly keyId?: string;
};

/** Invites a node into a zone. */
export async function invite(world: World, zone: string, more: object = {}): Promise<JoinTicket> {
  const { status, body } = await world.call('POST /v1/join-tokens', { body: { zone, ...more } });
  expect(status).toBe(201);
  return unwrap(parseJoinToken(body.joinToken));
}

export const sendJoin = (world: World, body: JoinRequest): Promise<Answer> =>
  world.call('POST /v1/node/join', { body, token: null });

/** Invites and enrols a node. */
export async function joinedNode(world: World, zone: string): Promise<TestNode> {
  const keys = await nodeKeys();
  const answer = await sendJoin(
    world,
    await joinRequest(await invite(world, zone), world.unique('node'), keys),
  );
  expect(answer).toMatchObject({ status: 200 });
  return nodeOf(world, answer.body, keys);
}

/** A node that has joined, by what it was answered. */
export function nodeOf(world: World, joined: Json, keys: NodeKeys): TestNode {
  const request: TestNode['request'] = async (route, options = {}) => {
    const [method = '', path = ''] = route.split(' ');
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    const headers = await signRequest(
      { method, url: `${world.plane().url}${path}`, ...(text === undefined ? {} : { body: utf8(text) }) },
      { keyId: options.keyId ?? joined.node, sign: signWith(options.keys ?? keys) },
      options.now ?? Date.now(),
    );
    const [sentMethod = '', sentPath = ''] = (options.sentRoute ?? route).split(' ');
    const sent = options.sentBody ?? text;
    return fetch(`${world.plane().url}${sentPath}`, {
      method: sentMethod,
      headers: { ...headers, ...(sent === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(sent === undefined ? {} : { body: sent }),
    });
  };
  let statusSequence = 0;
  const send: TestNode['send'] = async (route, options) => answerOf(await request(route, options));
  return {
    id: joined.node,
    zone: joined.zone,
    request,
    send,
    poll: ({ after, issuedAt = Number.MAX_SAFE_INTEGER, deny = 0, wait }) =>
      send(`GET /v1/node/poll?after=${after}&epoch=1&root=1&wait=${wait}&issuedAt=${issuedAt}&deny=${deny}`),
    root: joined.root,
    report: (items) =>
      send('POST /v1/node/status', {
        body: {
          sequence: ++statusSequence,
          appliedVersion: 0,
          serving: 'serving',
          items: [],
          sessions: { total: items.length, items },
        },
      }),
    async snapshot() {
      const root = unwrap(await pinRoot(joined.root, world.plane().rootFingerprint)).document;
      const { status, body } = await send('GET /v1/node/poll');
      expect(status).toBe(200);
      const timestamp = unwrap(
        await verifyTimestamp(root, joined.zone, body.timestamp, undefined, Date.now()),
      );
      const manifest = unwrap(await verifyManifest(root, joined.zone, body.manifest, timestamp, undefined));
      const self = {
        node: joined.node,
        nodeKey: nodeIndexKey(joined.node),
        sealingPrivateKey: keys.sealing.privateKey,
      };
      const reader = await openSnapshot(manifest, self, async ({ digest }) => {
        const response = await request(`GET /v1/node/sections/${digest}`);
        return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
      });
      return { timestamp, manifest, reader: unwrap(reader) };
    },
  };
}

/** The deny list of a poll's answer, verified as a node does. */
export async function verifiedDenyList(
  world: World,
  node: TestNode,
  answer: Answer,
): Promise<DenyListDocument> {
  const { document } = unwrap(await pinRoot(node.root, world.plane().rootFingerprint));
  const list = unwrap(await verifyDenyList(document, node.zone, answer.body.denyList, undefined, Date.now()));
  if (list === 'older') throw new Error('nothing was held');
  return list;
}
