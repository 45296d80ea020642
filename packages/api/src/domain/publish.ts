import type { Bytes } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse } from '@sallyport/faults';
import type { Zone } from '@sallyport/model';
import {
  type BlobRef,
  type BlobStore,
  compile,
  type ManifestDocument,
  manifestDigest,
  type SectionName,
  sealSections,
  sectionCipher,
  signManifest,
  signTimestamp,
  type ZoneContent,
} from '@sallyport/snapshot/publish';
import {
  type AuditHead,
  clearOutbox,
  findBlobByFingerprint,
  findNodeEnvelope,
  findPublication,
  findSnapshot,
  insertBlob,
  insertSnapshot,
  newestContentKey,
  newestRoot,
  type PublicationRow,
  pendingPublications,
  pendingSequence,
  type Queries,
  readAuditHead,
  readChangeSequence,
  saveNodeEnvelope,
  savePublication,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { ContentMoved } from './crl-rules.ts';
import { readZoneContent } from './zone-content.ts';

/** Purpose under which a zone content key is encrypted at rest. */
export const contentKeyPurpose = (zone: string, keyEpoch: number): string =>
  `content-key:${zone}:${keyEpoch}`;

export type Published = { readonly version: number; readonly coveredSequence: number };

const maxAttempts = 8;

/** Time that a loser leaves to the winner before it looks again, half of it at random. */
const pauseMs = (attempt: number): number => 20 * 2 ** attempt * (0.5 + Math.random() / 2);

/** All that one publication starts from, read at one change sequence. */
type Basis = {
  readonly sequence: number;
  readonly content: ZoneContent;
  readonly contentKey: Bytes;
  readonly keyEpoch: number;
  readonly trustEpoch: number;
  readonly previous: PublicationRow | undefined;
  readonly previousManifest: string | undefined;
  readonly auditHead: AuditHead;
};

/**
 * Publishes a zone: read at one change sequence, compile, encrypt what changed, sign, store. Idempotent: run twice
 * it finds nothing new; of several at once those who find that the zone has moved on start anew, if there is still
 * something to publish; stopped anywhere it leaves the outbox row and is run again (design section 5).
 *
 * @returns the zone's version and the change it covers; the compiler's refusal, which is also kept for the operator
 */
export async function publishZone(deps: Dependencies, zone: string): Promise<Result<Published>> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const outcome = await publishOnce(deps, zone);
    if (outcome !== 'lost') return outcome;
    const winner = await findPublication(deps.store.queries, zone);
    if (winner && (await pendingSequence(deps.store.queries, zone)) === undefined) {
      return ok({ version: winner.version, coveredSequence: winner.coveredSequence });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs(attempt)));
  }
  return refuse('database-busy', `zone ${zone} is being published elsewhere`);
}

/** Publishes every zone that has waited for it: after a crash, and from the platform's timer. */
export async function publishPending(deps: Dependencies): Promise<void> {
  for (const { zone } of await pendingPublications(deps.store.queries)) await publishLogged(deps, zone);
}

/**
 * Publishes those of the zones that a change touched which still wait for it (another publisher may have covered them
 * already) and wakes their nodes; failures go to the operator's log.
 */
export async function publishTouched(deps: Dependencies, zones: readonly string[]): Promise<void> {
  for (const zone of zones) {
    if ((await pendingSequence(deps.store.queries, zone)) !== undefined) await publishLogged(deps, zone);
  }
}

async function publishLogged(deps: Dependencies, zone: string): Promise<void> {
  try {
    const published = await publishZone(deps, zone);
    if (!published.ok)
      deps.log(`zone ${zone} was not published: ${published.fault.detail ?? published.fault.code}`);
  } catch (error) {
    deps.log(`zone ${zone} was not published`, error);
  }
}

async function publishOnce(deps: Dependencies, zone: string): Promise<Result<Published> | 'lost'> {
  const basis = await deps.store.read((queries) => readBasis(queries, deps, zone));
  const cipher = await sectionCipher(zone, basis.keyEpoch, basis.contentKey);
  const compiled = compile(basis.content, cipher);
  if (!compiled.ok)
    return keepRefusal(deps, zone, basis, compiled.fault.detail ?? compiled.fault.code, compiled);

  const blobs = bufferedBlobs(deps.store.queries, zone, basis.keyEpoch);
  let sections: ManifestDocument['sections'];
  try {
    sections = await sealSections(compiled.value, basis.contentKey, cipher, blobs, deps.randomBytes);
  } catch (error) {
    if (error instanceof ContentMoved) return 'lost';
    throw error;
  }
  if (sameContent(basis, sections)) {
    const covered = await deps.store.record(async (queries) => {
      const current = await findPublication(queries, zone);
      if (!current || hasMoved(current, basis)) return 'lost';
      await savePublication(queries, { ...current, coveredSequence: basis.sequence, refusal: null });
      await clearOutbox(queries, zone, basis.sequence);
      return 'covered';
    });
    if (covered === 'lost') return 'lost';
    // The sections are the same, but how long a timestamp lives may not be.
    deps.feed.announce(zone);
    return ok({ version: basis.previous?.version ?? 0, coveredSequence: basis.sequence });
  }

  const version = nextVersion(basis);
  const manifest = await signManifest(
    {
      schema: 'sallyport/manifest/1',
      zone,
      trustEpoch: basis.trustEpoch,
      keyEpoch: basis.keyEpoch,
      version,
      sections,
    },
    deps.signers.snapshot,
  );
  const issuedAt = Math.max(deps.now(), basis.previous?.issuedAt ?? 0);
  const timestamp = await timestampFor(deps, basis.content.zone, {
    trustEpoch: basis.trustEpoch,
    version,
    digest: manifestDigest(manifest),
    auditHead: basis.auditHead,
    issuedAt,
  });
  const stored = await storePublished(deps, basis, blobs, { version, manifest, timestamp, issuedAt });
  if (stored === 'lost') return 'lost';
  deps.feed.announce(zone);
  return ok({ version, coveredSequence: basis.sequence });
}

async function readBasis(queries: Queries, deps: Dependencies, zone: string): Promise<Basis> {
  const content = await readZoneContent(queries, deps.keys, zone, deps.now(), deps.store.queries);
  const contentKey = await newestContentKey(queries, zone);
  const root = await newestRoot(queries);
  if (!contentKey || !root)
    throw new FaultError({ code: 'internal', detail: `zone ${zone} has no content key or root` });
  const previous = await findPublication(queries, zone);
  const previousManifest =
    previous && (await findSnapshot(queries, zone, previous.trustEpoch, previous.version))?.manifest;
  return {
    sequence: await readChangeSequence(queries),
    content,
    contentKey: await deps.keys.unwrap(contentKeyPurpose(zone, contentKey.keyEpoch), contentKey.wrapped),
    keyEpoch: contentKey.keyEpoch,
    trustEpoch: root.trustEpoch,
    previous,
    previousManifest,
    auditHead: await readAuditHead(queries),
  };
}

/**
 * Has somebody else published or refused since the basis was read, or covered a later change? What was read before that
 * must not replace it, nor take its place in the outbox.
 */
function hasMoved(current: PublicationRow | undefined, { previous, sequence }: Basis): boolean {
  return (
    current?.version !== previous?.version ||
    current?.trustEpoch !== previous?.trustEpoch ||
    current?.refusal !== previous?.refusal ||
    (current?.coveredSequence ?? 0) > sequence
  );
}

/** Versions count within a trust epoch. */
const nextVersion = ({ previous, trustEpoch }: Basis): number =>
  previous?.trustEpoch === trustEpoch ? previous.version + 1 : 1;

function sameContent(basis: Basis, sections: ManifestDocument['sections']): boolean {
  if (!basis.previousManifest || !basis.previous) return false;
  if (basis.previous.trustEpoch !== basis.trustEpoch || basis.previous.keyEpoch !== basis.keyEpoch)
    return false;
  const before = manifestSections(basis.previousManifest);
  return Object.entries(sections).every(([name, ref]) => before[name as SectionName]?.digest === ref.digest);
}

/** Reads our own stored manifest; nodes verify, we wrote it. */
function manifestSections(envelope: string): ManifestDocument['sections'] {
  const { payload } = JSON.parse(envelope) as { payload: string };
  return (JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as ManifestDocument).sections;
}

/** Signs a timestamp for a version of a zone. */
export function timestampFor(
  deps: Pick<Dependencies, 'signers'>,
  zone: Pick<Zone, 'id' | 'snapshot'>,
  facts: { trustEpoch: number; version: number; digest: string; auditHead: AuditHead; issuedAt: number },
): Promise<string> {
  return signTimestamp(
    {
      zone: zone.id,
      trustEpoch: facts.trustEpoch,
      version: facts.version,
      manifest: facts.digest,
      auditHead: { sequence: facts.auditHead.sequence, hash: facts.auditHead.hash },
    },
    zone.snapshot,
    facts.issuedAt,
    deps.signers.timestamp,
  );
}

type NewBlob = { section: SectionName; ref: BlobRef; stored: Bytes; fingerprint: string | undefined };
type NewEnvelope = { node: string; fingerprint: string; envelope: string };

/** Finds earlier ciphertexts in the store and keeps new ones in memory until the version is stored with them. */
function bufferedBlobs(
  queries: Queries,
  zone: string,
  keyEpoch: number,
): BlobStore & { readonly newBlobs: NewBlob[]; readonly newEnvelopes: NewEnvelope[] } {
  const newBlobs: NewBlob[] = [];
  const newEnvelopes: NewEnvelope[] = [];
  return {
    newBlobs,
    newEnvelopes,
    find: (section, fingerprint) => findBlobByFingerprint(queries, { zone, keyEpoch, section, fingerprint }),
    async put(section, ref, stored, fingerprint) {
      newBlobs.push({ section, ref, stored, fingerprint });
    },
    findEnvelope: (node, fingerprint) => findNodeEnvelope(queries, { zone, keyEpoch, node, fingerprint }),
    async putEnvelope(node, fingerprint, envelope) {
      newEnvelopes.push({ node, fingerprint, envelope });
    },
  };
}

function storePublished(
  deps: Dependencies,
  basis: Basis,
  blobs: { readonly newBlobs: readonly NewBlob[]; readonly newEnvelopes: readonly NewEnvelope[] },
  signed: { version: number; manifest: string; timestamp: string; issuedAt: number },
): Promise<'stored' | 'lost'> {
  const zone = basis.content.zone.id;
  const createdAt = new Date(deps.now()).toISOString();
  return deps.store.record(async (queries) => {
    const current = await findPublication(queries, zone);
    if (hasMoved(current, basis)) return 'lost';
    for (const { section, ref, stored, fingerprint } of blobs.newBlobs) {
      await insertBlob(queries, {
        zone,
        digest: ref.digest,
        section,
        keyEpoch: basis.keyEpoch,
        fingerprint: fingerprint ?? null,
        bytes: stored,
        createdAt,
      });
    }
    for (const envelope of blobs.newEnvelopes) {
      await saveNodeEnvelope(queries, { zone, keyEpoch: basis.keyEpoch, ...envelope });
    }
    await insertSnapshot(queries, {
      zone,
      trustEpoch: basis.trustEpoch,
      version: signed.version,
      sequence: basis.sequence,
      manifest: signed.manifest,
      digest: manifestDigest(signed.manifest),
      createdAt,
    });
    await savePublication(queries, {
      zone,
      trustEpoch: basis.trustEpoch,
      version: signed.version,
      coveredSequence: basis.sequence,
      keyEpoch: basis.keyEpoch,
      timestamp: signed.timestamp,
      issuedAt: signed.issuedAt,
      refusal: null,
    });
    await clearOutbox(queries, zone, basis.sequence);
    return 'stored';
  });
}

/** The last good version stays in force; the operator sees why the newest change is not in it. */
async function keepRefusal(
  deps: Dependencies,
  zone: string,
  basis: Basis,
  reason: string,
  refused: Result<never>,
): Promise<Result<never> | 'lost'> {
  return deps.store.record(async (queries) => {
    const current = await findPublication(queries, zone);
    if (hasMoved(current, basis)) return 'lost';
    // A zone without a version has no row to say it in: it goes on waiting, and the timer logs the reason.
    if (!current) return refused;
    await savePublication(queries, { ...current, refusal: reason });
    await clearOutbox(queries, zone, basis.sequence);
    return refused;
  });
}
