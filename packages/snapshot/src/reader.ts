import { type Bytes, fromBase64, sha256Hex } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import { normalizedName } from '@sallyport/model';
import { readSerials, type SerialSet } from '@sallyport/pki/serial-set';
import type { EffectivePolicy } from '@sallyport/policy';
import type { z } from 'zod';
import {
  type BlobRef,
  type ManifestDocument,
  maxSectionBytes,
  type SectionName,
  sectionNames,
} from './documents.ts';
import { parseJsonBytes } from './envelope.ts';
import { accountIndexKey, type CredentialKey, credentialIndexKey } from './index-key.ts';
import { openNodeEnvelope } from './node-envelope.ts';
import {
  type AccountRecord,
  accountRecord,
  type CrlRule,
  type NodeEnvelope,
  policySection,
  type Registration,
  type RevocationSection,
  registrationList,
  revocationSection,
  type ServerRecord,
  serversSection,
  type TrustSection,
  trustSection,
} from './payload.ts';
import { sectionCipher } from './section-cipher.ts';
import { type FetchNode, lookUp, maxTreeNodeBytes, walkTree } from './tree.ts';

/** Stored bytes by digest, from disk or from the network; nothing where there are none. Not yet checked. */
export type FetchBlob = (ref: BlobRef) => Promise<Bytes | undefined>;

/** A verified snapshot, decrypted and parsed as far as it is small; the trees are read on demand. */
export interface SnapshotReader {
  readonly manifest: ManifestDocument;
  readonly envelope: NodeEnvelope;
  readonly servers: readonly ServerRecord[];
  readonly policy: EffectivePolicy;
  readonly trust: TrustSection;
  readonly revocation: RevocationSection;
  /** The serial numbers of the lists, by the id of their CA. */
  readonly revokedSerials: ReadonlyMap<string, SerialSet>;
  /** @param name the login name as a client sent it */
  account(name: string): Promise<Result<AccountRecord | undefined>>;
  registrations(key: CredentialKey): Promise<Result<readonly Registration[]>>;
}

/** Fetches a blob within its bound and checks its length and digest (design section 5). */
export async function checkedBlob(fetch: FetchBlob, ref: BlobRef, maxBytes: number): Promise<Result<Bytes>> {
  if (ref.size > maxBytes) return refuse('section-oversize', `${ref.size} bytes, bound ${maxBytes}`);
  const bytes = await fetch(ref);
  if (!bytes) return refuse('section-missing', ref.digest);
  if (bytes.length !== ref.size || sha256Hex(bytes) !== ref.digest)
    return refuse('section-digest', ref.digest);
  return ok(bytes);
}

const checkedNode =
  (fetch: FetchBlob): FetchNode =>
  (ref) =>
    checkedBlob(fetch, ref, maxTreeNodeBytes);

/**
 * Opens a verified manifest: fetches and checks every section and every tree node, opens this node's envelope,
 * decrypts and parses every section and every tree entry. After it, all that the snapshot needs has gone through `fetch`.
 *
 * @param self who reads, and the raw X25519 private key its envelope is sealed to
 * @returns the reader, or the first fault
 */
export async function openSnapshot(
  manifest: ManifestDocument,
  self: { readonly node: string; readonly nodeKey: string; readonly sealingPrivateKey: Bytes },
  fetch: FetchBlob,
): Promise<Result<SnapshotReader>> {
  const { zone, keyEpoch, sections } = manifest;
  for (const name of sectionNames) {
    const blob = await checkedBlob(fetch, sections[name], maxSectionBytes[name]);
    if (!blob.ok) return blob;
  }

  const sealed = await lookUp(sections.nodes, self.nodeKey, checkedNode(fetch));
  if (!sealed.ok) return sealed;
  if (typeof sealed.value !== 'string') return refuse('envelope-missing');
  const envelope = await openNodeEnvelope(
    { zone, node: self.node, keyEpoch },
    self.sealingPrivateKey,
    sealed.value,
  );
  if (!envelope.ok) return envelope;

  const cipher = await sectionCipher(zone, keyEpoch, fromBase64(envelope.value.contentKey));
  const section = async <T>(name: SectionName, schema: z.ZodType<T>): Promise<Result<T>> => {
    const stored = await checkedBlob(fetch, sections[name], maxSectionBytes[name]);
    if (!stored.ok) return stored;
    const plaintext = await cipher.decrypt(name, stored.value);
    if (!plaintext.ok) return plaintext;
    const parsed = parseJsonBytes(plaintext.value, schema);
    return parsed.ok ? parsed : refuse('section-malformed', `${name}: ${parsed.fault.detail}`);
  };
  const tree =
    (name: SectionName): FetchNode =>
    async (ref) => {
      const stored = await checkedBlob(fetch, ref, maxTreeNodeBytes);
      return stored.ok ? cipher.decrypt(name, stored.value) : stored;
    };

  const servers = await section('servers', serversSection);
  if (!servers.ok) return servers;
  const policy = await section('policy', policySection);
  if (!policy.ok) return policy;
  const trust = await section('trust', trustSection);
  if (!trust.ok) return trust;
  const revocation = await section('revocation', revocationSection);
  if (!revocation.ok) return revocation;
  const revokedSerials = new Map<string, SerialSet>();
  for (const { ca, list } of revocation.value.rules) {
    if (!list) continue;
    const serials = await serialsOf(list, tree('revocation'));
    if (!serials.ok) return serials;
    revokedSerials.set(ca, serials.value);
  }
  const checkTree = <T>(name: SectionName, schema: z.ZodType<T>): Promise<Result<void>> =>
    walkTree(sections[name], tree(name), (value) => {
      const entry = entryOf(name, schema, value);
      return entry.ok ? ok(undefined) : entry;
    });
  const accounts = await checkTree('accounts', accountRecord);
  if (!accounts.ok) return accounts;
  const credentials = await checkTree('credentials', registrationList);
  if (!credentials.ok) return credentials;

  const find = async <T>(
    name: SectionName,
    schema: z.ZodType<T>,
    key: string,
  ): Promise<Result<T | undefined>> => {
    const found = await lookUp(sections[name], key, tree(name));
    if (!found.ok) return found;
    return found.value === undefined ? ok(undefined) : entryOf(name, schema, found.value);
  };

  return ok({
    manifest,
    envelope: envelope.value,
    servers: servers.value.servers,
    policy: policy.value,
    trust: trust.value,
    revocation: revocation.value,
    revokedSerials,
    account: (name) =>
      find(
        'accounts',
        accountRecord,
        accountIndexKey(cipher, normalizedName(name, policy.value.loginSettings.nameCase)),
      ),
    async registrations(key) {
      const found = await find('credentials', registrationList, credentialIndexKey(cipher, key));
      return found.ok ? ok(found.value ?? []) : found;
    },
  });
}

/** How many chunks are fetched at once. */
const chunksAtOnce = 8;

/** The serial numbers of a list, all of them or none: with a part of them the node would accept who is revoked. */
async function serialsOf(list: NonNullable<CrlRule['list']>, fetch: FetchNode): Promise<Result<SerialSet>> {
  const chunks: Bytes[] = [];
  for (let at = 0; at < list.chunks.length; at += chunksAtOnce) {
    const fetched = await Promise.all(list.chunks.slice(at, at + chunksAtOnce).map(fetch));
    for (const chunk of fetched) {
      if (!chunk.ok) return chunk;
      chunks.push(chunk.value);
    }
  }
  const serials = readSerials(chunks);
  if (!serials.ok) return refuse('section-malformed', `revocation: ${serials.fault.detail}`);
  if (serials.value.size === list.entries) return serials;
  const detail = `revocation: ${serials.value.size} serial numbers of ${list.entries}`;
  return refuse('section-malformed', detail);
}

function entryOf<T>(name: SectionName, schema: z.ZodType<T>, value: unknown): Result<T> {
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : refuse('section-malformed', `${name}: an entry does not fit`);
}
