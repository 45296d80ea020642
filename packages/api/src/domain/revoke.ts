import { utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { RevocationReason, RevocationTarget } from '@sallyport/model';
import { importKeyMaterial } from '@sallyport/pki';
import {
  type CertificateRow,
  type Change,
  certificatesWithKey,
  certificatesWithSha256,
  certificatesWithSshFingerprint,
  findCertificate,
  findRevocation,
  insertRevocation,
  type Queries,
  type RevocationRow,
  updateCertificate,
} from '@sallyport/store';
import { type Caller, reachOf } from '../caller.ts';
import { listEntries, listEntryOf } from './list-entry.ts';

/** What a target comes to: keys, and certificates that nobody has registered. */
export type ResolvedTarget = {
  /** Rows that the target names by itself; all others with their keys go with them. */
  readonly rows: readonly CertificateRow[];
  /** Rows of the table for what is not registered. */
  readonly unregistered: readonly Omit<RevocationRow, 'at' | 'reason' | 'zones'>[];
};

/**
 * Finds what a target names. Reading a file takes no key derivation: an encrypted one is refused.
 *
 * @param pointer where the target stands in the request
 * @throws FaultError `not-found`, or what the file is not
 */
export async function resolveTarget(
  queries: Queries,
  target: RevocationTarget,
  pointer: string,
): Promise<ResolvedTarget> {
  switch (target.by) {
    case 'id': {
      const row = await findCertificate(queries, target.id);
      if (!row) throw missing('there is no such certificate', `${pointer}/id`);
      return { rows: [row], unregistered: [] };
    }
    case 'certificate': {
      const rows = await certificatesWithSha256(queries, target.sha256);
      // Its key is not known: what no key can have the digest of stands in its place.
      const unknown = { sha256: target.sha256, spkiSha256: target.sha256, issuerHash: null, serial: null };
      return rows.length > 0 ? { rows, unregistered: [] } : { rows, unregistered: [unknown] };
    }
    case 'key':
      return resolveKey(queries, target.fingerprint, `${pointer}/fingerprint`);
    case 'file':
      return resolveFile(queries, target.text, `${pointer}/text`);
  }
}

const missing = (detail: string, pointer: string): FaultError =>
  new FaultError({ code: 'not-found', detail, fields: [{ pointer, detail }] });

/** A key that no certificate here has. */
const bareKey = (spkiSha256: string): ResolvedTarget['unregistered'][number] => ({
  sha256: spkiSha256,
  spkiSha256,
  issuerHash: null,
  serial: null,
});

async function resolveKey(queries: Queries, fingerprint: string, pointer: string): Promise<ResolvedTarget> {
  if (!fingerprint.startsWith('SHA256:')) {
    const rows = await certificatesWithKey(queries, fingerprint);
    return { rows, unregistered: rows.length > 0 ? [] : [bareKey(fingerprint)] };
  }
  const rows = await certificatesWithSshFingerprint(queries, fingerprint);
  if (rows.length > 0) return { rows, unregistered: [] };
  throw missing(
    'no certificate here has that key: to revoke it beforehand send the key itself as file',
    pointer,
  );
}

async function resolveFile(queries: Queries, text: string, pointer: string): Promise<ResolvedTarget> {
  const imported = await importKeyMaterial(utf8(text), { workMilliseconds: 100, allowRsa1024: true });
  if (!imported.ok) {
    const { code, detail = 'cannot be read' } = imported.fault;
    throw new FaultError({ code, detail, fields: [{ pointer, detail }] });
  }
  const material = imported.value;
  if (material.form === 'ssh-public-key') {
    const spkiSha256 = material.facts.spkiSha256;
    const rows = await certificatesWithKey(queries, spkiSha256);
    return { rows, unregistered: rows.length > 0 ? [] : [bareKey(spkiSha256)] };
  }
  if (material.form !== 'certificates') {
    const detail = 'send one certificate or one public key';
    throw new FaultError({ code: 'certificate-purpose', detail, fields: [{ pointer, detail }] });
  }
  const [leaf] = material.chain;
  if (!leaf) throw missing('there is no certificate', pointer);
  const rows = await certificatesWithKey(queries, leaf.key.spkiSha256);
  // A certificate may be of ours and stored nowhere, one that we signed for somebody else.
  const known = rows.some(({ sha256 }) => sha256 === leaf.sha256);
  const own = {
    sha256: leaf.sha256,
    spkiSha256: leaf.key.spkiSha256,
    ...(await (
      await listEntries(queries)
    )(leaf)),
  };
  return { rows, unregistered: known ? [] : [own] };
}

/** All certificates that have one of the keys of these. */
export async function withSameKeys(
  queries: Queries,
  rows: readonly CertificateRow[],
): Promise<CertificateRow[]> {
  const all = new Map(rows.map((row) => [row.id, row]));
  for (const key of new Set(rows.map(({ spkiSha256 }) => spkiSha256))) {
    for (const row of await certificatesWithKey(queries, key)) all.set(row.id, row);
  }
  return [...all.values()];
}

/**
 * Where a revocation of a caller holds: in the zones that he speaks for. A public key is no secret: else whoever may
 * register keys in one zone could register and revoke there what others log in with, or will.
 *
 * @returns zone ids; null for everywhere
 */
export const revocationZones = (caller: Caller): string[] | null => {
  const reach = reachOf(caller);
  return reach === '*' ? null : [...reach];
};

/**
 * Revokes certificates with their keys, and what is not registered. Who was revoked before stays so, with its first
 * time and reason: nothing takes a revocation back.
 *
 * @param zones where it holds; null: everywhere
 * @param rows with all others that have their keys, as `withSameKeys` answers them
 * @returns what stands in the table of revocations
 */
export async function revoke(
  change: Change,
  zones: string[] | null,
  rows: readonly CertificateRow[],
  unregistered: ResolvedTarget['unregistered'],
  reason: RevocationReason,
): Promise<RevocationRow[]> {
  const { queries, at } = change;
  const written: RevocationRow[] = [];
  const write = async (row: RevocationRow): Promise<void> => {
    await insertRevocation(queries, row);
    written.push((await findRevocation(queries, row.sha256)) ?? row);
  };
  for (const row of rows) {
    const revokedAt = row.revokedAt ?? at;
    if (row.revokedAt === null) {
      await updateCertificate(queries, { ...row, revokedAt, version: row.version + 1 }, row.version);
      change.audit('certificate.revoke', `certificate:${row.id}`, {
        alias: row.alias,
        sha256: row.sha256,
        reason,
      });
    }
    await write({
      sha256: row.sha256,
      spkiSha256: row.spkiSha256,
      at: revokedAt,
      ...(await listEntryOf(queries, row)),
      reason,
      zones,
    });
  }
  for (const target of unregistered) {
    await write({ ...target, at, reason, zones });
    change.audit('key.revoke', `sha256:${target.sha256}`, { spkiSha256: target.spkiSha256, reason });
  }
  // Every zone of them refuses a revoked key, so every one is told.
  change.touch(zones ?? 'all');
  return written;
}
