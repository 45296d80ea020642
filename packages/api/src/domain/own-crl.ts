import { sha256Hex } from '@sallyport/bytes';
import { createCrl, type RevokedEntry } from '@sallyport/pki';
import {
  type CertificateRow,
  type CrlRow,
  certificatesOfKinds,
  countRevokedBy,
  findCrl,
  findCrlFacts,
  type Queries,
  revocationsBy,
  saveCrl,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { leafOf, privateKeyPurpose, storedLeaf } from './stored-certificate.ts';

/** How long a list of ours may be believed; a new one is signed when half of it is over. */
const lifeMs = 7 * 86_400_000;
/** A list begins a little before now, for peers whose clock is behind. */
const backdateMs = 5 * 60_000;

/**
 * Where a CA of ours publishes its list: what certificates name that it issues. By its id, which outlives its alias.
 *
 * @returns nothing where the control plane does not know under which URL it is reached
 */
export const ownCrlUrl = ({ publicUrl }: Pick<Dependencies, 'publicUrl'>, ca: string): string | undefined =>
  publicUrl === undefined ? undefined : `${publicUrl}/v1/crl/${ca}.crl`;

/** Does the list say all that there is to say, and long enough? */
async function isCurrent(queries: Queries, ca: CertificateRow, now: number): Promise<boolean> {
  const held = await findCrlFacts(queries, ca.id);
  if (held?.source !== 'issued') return false;
  // Revocations are never taken back: as many as there are means these.
  if ((await countRevokedBy(queries, ca.subjectHash)) !== held.entries) return false;
  return Date.parse(held.nextUpdate ?? '') - now > lifeMs / 2;
}

async function entriesOf(queries: Queries, ca: CertificateRow): Promise<RevokedEntry[]> {
  return (await revocationsBy(queries, ca.subjectHash)).flatMap(({ serial, at, reason }) =>
    serial === null ? [] : [{ serial, revokedAt: new Date(at), ...(reason ? { reason } : {}) }],
  );
}

/**
 * Signs a new list of a CA of ours. Of several at once the number decides: who comes later finds a newer one.
 *
 * @returns the list in force
 */
async function issueCrl(deps: Dependencies, ca: CertificateRow): Promise<CrlRow | undefined> {
  if (ca.privateKey === null) return undefined;
  const { queries } = deps.store;
  const before = await findCrlFacts(queries, ca.id);
  const entries = await entriesOf(queries, ca);
  const number = BigInt(before?.number ?? 0) + 1n;
  const now = deps.now();
  const thisUpdate = new Date(Math.max(now - backdateMs, Date.parse(before?.thisUpdate ?? '') || 0));
  const nextUpdate = new Date(now + lifeMs);
  const issuer = {
    certificate: leafOf(ca),
    privateKey: await deps.keys.unwrap(privateKeyPurpose(ca.id), ca.privateKey),
  };
  const der = await createCrl(issuer, { number, thisUpdate, nextUpdate, entries });
  const row: CrlRow = {
    ca: ca.id,
    source: 'issued',
    number: number.toString(),
    thisUpdate: thisUpdate.toISOString(),
    nextUpdate: nextUpdate.toISOString(),
    entries: entries.length,
    sha256: sha256Hex(der),
    der,
    storedAt: new Date(now).toISOString(),
  };
  return deps.store.record(async (tx) => {
    const held = await findCrlFacts(tx, ca.id);
    if ((held?.number ?? '') !== (before?.number ?? '')) return findCrl(tx, ca.id);
    // Nodes are told of revocations here one by one: nothing is packed for them.
    await saveCrl(tx, row, []);
    return row;
  });
}

/** May this CA of ours sign lists? Some that are brought along may not (RFC 5280 section 4.2.1.3). */
function signsLists(ca: CertificateRow): boolean {
  const { keyUsage } = storedLeaf(ca);
  return ca.privateKey !== null && (keyUsage === undefined || keyUsage.includes('cRLSign'));
}

/**
 * The list of a CA of ours, signed anew where something was revoked since or its end comes near. A retired CA goes on
 * signing: what it issued is still out there.
 *
 * @returns nothing for a CA whose key is not held here, or that may not sign lists
 */
export async function currentCrl(deps: Dependencies, ca: CertificateRow): Promise<CrlRow | undefined> {
  if (!signsLists(ca)) return undefined;
  if (await isCurrent(deps.store.queries, ca, deps.now())) return findCrl(deps.store.queries, ca.id);
  return issueCrl(deps, ca);
}

/** Signs the lists of our CAs that are due: after a revocation, and from the platform's timer. */
export async function renewOwnCrls(deps: Dependencies): Promise<void> {
  for (const ca of await certificatesOfKinds(deps.store.queries, ['internal-ca'])) {
    try {
      if (signsLists(ca) && !(await isCurrent(deps.store.queries, ca, deps.now()))) await issueCrl(deps, ca);
    } catch (error) {
      deps.log(`the list of ${ca.alias} was not signed`, error);
    }
  }
}
