import { sha256Hex, utf8 } from '@sallyport/bytes';
import { type Result, unwrap } from '@sallyport/faults';
import type { JWK } from 'jose';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { makeTrust, type Trust } from '../fixture/world.ts';
import type { RootDocument } from './documents.ts';
import { jwkSigner, keyIdOf, publicJwkOf, type Signer, signEnvelope } from './envelope.ts';
import { generateSigningKey } from './make-root.ts';
import { followRoot, loadRoot, pinRoot, quorumOf, rootFingerprint, type TrustedRoot } from './root.ts';
import { signRoot } from './sign.ts';

let trust: Trust;
let pinned: TrustedRoot;
let rootSigner: Signer;
beforeAll(async () => {
  trust = await makeTrust();
  rootSigner = await jwkSigner(trust.rootKey);
  pinned = unwrap(await pinRoot(trust.envelope, unwrap(rootFingerprint(trust.envelope))));
});

const codeOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);

/** The root after the pinned one, with changes. */
const next = (changes: Partial<RootDocument> = {}): RootDocument => ({
  ...trust.root,
  version: 2,
  ...changes,
});

/** A root document whose root role is another key. */
async function rekeyed(key: JWK, changes: Partial<RootDocument> = {}): Promise<RootDocument> {
  const publicJwk = publicJwkOf(key);
  const keyId = await keyIdOf(publicJwk);
  const document = next(changes);
  return {
    ...document,
    keys: { ...document.keys, [keyId]: publicJwk },
    roles: { ...document.roles, root: { keys: [keyId], threshold: 1 } },
  };
}

describe('pinning', () => {
  it('takes the root that has the fingerprint, which is over its signed bytes', async () => {
    const payload = atob(
      (JSON.parse(trust.envelope) as { payload: string }).payload.replaceAll('-', '+').replaceAll('_', '/'),
    );
    expect(unwrap(rootFingerprint(trust.envelope))).toBe(sha256Hex(utf8(payload)));
    expect(pinned.document).toMatchObject({ version: 1, trustEpoch: 1 });
  });

  it('refuses another root, though it is well signed', async () => {
    const other = await makeTrust();
    const fingerprint = unwrap(rootFingerprint(trust.envelope));
    expect(codeOf(await pinRoot(other.envelope, fingerprint))).toBe('root-mismatch');
  });

  it('refuses a root that its own keys have not signed', async () => {
    const stranger = await jwkSigner(await generateSigningKey());
    const envelope = await signRoot(trust.root, [stranger]);
    expect(codeOf(await pinRoot(envelope, unwrap(rootFingerprint(envelope))))).toBe('snapshot-signer');
  });

  it('refuses what a key of another role has signed', async () => {
    const envelope = await signRoot(trust.root, [trust.snapshot]);
    expect(codeOf(await loadRoot(envelope))).toBe('snapshot-signer');
  });

  it('refuses a root signed as another kind of document', async () => {
    const envelope = await signEnvelope('sallyport-manifest', trust.root, [rootSigner]);
    expect(codeOf(await loadRoot(envelope))).toBe('snapshot-signer');
  });

  it('refuses a key under a name that is not its own', async () => {
    const [keyId] = trust.root.roles.root.keys;
    const stranger = publicJwkOf(await generateSigningKey());
    const document = { ...trust.root, keys: { ...trust.root.keys, [keyId as string]: stranger } };
    expect(codeOf(await loadRoot(await signRoot(document, [rootSigner])))).toBe('snapshot-malformed');
  });

  test.each([
    ['a threshold of none', { keys: ['k'], threshold: 0 }],
    ['a threshold above the keys', { keys: ['k'], threshold: 2 }],
    ['a threshold met by one key named twice', { keys: ['k', 'k'], threshold: 2 }],
    ['no key', { keys: [], threshold: 1 }],
  ])('refuses a role with %s', async (_what, role) => {
    const [keyId = ''] = trust.root.roles.snapshot.keys;
    const snapshot = { ...role, keys: role.keys.map(() => keyId) };
    const document = { ...trust.root, roles: { ...trust.root.roles, snapshot } };
    expect(codeOf(await loadRoot(await signRoot(document, [rootSigner])))).toBe('snapshot-malformed');
  });

  test.each([
    ['nothing', '', 'snapshot-envelope'],
    ['no base64url', '{"payload":"*","signatures":[]}', 'snapshot-envelope'],
    ['no JSON inside', '{"payload":"e3","signatures":[]}', 'snapshot-malformed'],
    ['too much', 'x'.repeat(65_537), 'snapshot-oversize'],
  ])('refuses %s', async (_what, envelope, code) => {
    expect(codeOf(await loadRoot(envelope))).toBe(code);
  });
});

describe('following', () => {
  it('goes one version on, signed by the old root and by the new', async () => {
    const key = await generateSigningKey();
    const document = await rekeyed(key, { trustEpoch: 2 });
    const envelope = await signRoot(document, [rootSigner, await jwkSigner(key)]);
    const followed = unwrap(await followRoot(pinned, envelope));
    expect(followed.document).toEqual(document);
    expect(unwrap(await loadRoot(followed.envelope)).document).toEqual(document);
  });

  it('refuses a new root that the old one has not signed', async () => {
    const key = await generateSigningKey();
    const envelope = await signRoot(await rekeyed(key), [await jwkSigner(key)]);
    expect(codeOf(await followRoot(pinned, envelope))).toBe('root-signer');
  });

  it('refuses a new root that its own keys have not signed', async () => {
    const key = await generateSigningKey();
    const envelope = await signRoot(await rekeyed(key), [rootSigner]);
    expect(codeOf(await followRoot(pinned, envelope))).toBe('root-signer');
  });

  it('refuses what a snapshot key has signed', async () => {
    expect(codeOf(await followRoot(pinned, await signRoot(next(), [trust.snapshot])))).toBe('root-signer');
  });

  test.each([
    ['the same version', 1],
    ['a version left out', 3],
    ['a version far ahead', 1_000_000],
  ])('refuses %s', async (_what, version) => {
    const envelope = await signRoot(next({ version }), [rootSigner]);
    expect(codeOf(await followRoot(pinned, envelope))).toBe('root-rollback');
  });

  it('refuses an older root, step by step forwards only', async () => {
    const second = unwrap(await followRoot(pinned, await signRoot(next(), [rootSigner])));
    expect(codeOf(await followRoot(second, trust.envelope))).toBe('root-rollback');
    const third = await signRoot(next({ version: 3 }), [rootSigner]);
    expect(codeOf(await followRoot(pinned, third))).toBe('root-rollback');
    expect(codeOf(await followRoot(second, third))).toBe('ok');
  });

  it('lets the trust epoch rise and never fall or jump', async () => {
    const raised = unwrap(await followRoot(pinned, await signRoot(next({ trustEpoch: 5 }), [rootSigner])));
    const fallen = await signRoot(next({ version: 3, trustEpoch: 4 }), [rootSigner]);
    expect(codeOf(await followRoot(raised, fallen))).toBe('root-rollback');
    const jump = await signRoot(next({ trustEpoch: 1_000_002 }), [rootSigner]);
    expect(codeOf(await followRoot(pinned, jump))).toBe('root-rollback');
  });
});

it('finds the keys of a role, and only those that the root has', () => {
  const [keyId = ''] = trust.root.roles.timestamp.keys;
  const quorum = quorumOf(trust.root, 'timestamp');
  expect([...quorum.keys.keys()]).toEqual([keyId]);
  const missing = { ...trust.root, keys: {} };
  expect(quorumOf(missing, 'timestamp').keys.size).toBe(0);
});
