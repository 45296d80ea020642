import { type Bytes, sha256Hex } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import { packSerials, parseCrl, readCrlFile } from '@sallyport/pki';
import {
  type CertificateRow,
  type Change,
  type CrlFacts,
  findCertificate,
  findCrlFacts,
  saveCrl,
} from '@sallyport/store';
import { checksCrl } from './crl-rules.ts';
import { storedLeaf } from './stored-certificate.ts';

/** How far a CA's clock may be before ours. */
const skewMs = 5 * 60_000;

/** A list that its CA has signed, with its serial numbers packed. */
export type VerifiedCrl = Pick<CrlFacts, 'number' | 'thisUpdate' | 'entries' | 'sha256'> & {
  readonly nextUpdate: string;
  readonly der: Bytes;
  readonly chunks: readonly { readonly sha256: string; readonly bytes: Bytes }[];
};

const refused = (code: 'crl-malformed' | 'crl-outdated', detail: string): FaultError =>
  new FaultError({ code, detail });

/** Throws FaultError `certificate-purpose` where the certificate is no CA whose lists come from outside. */
export function requireForeignCa(row: Pick<CertificateRow, 'kind' | 'usage' | 'alias'>): void {
  if (row.kind === 'trusted' && row.usage !== 'ssh-ca') return;
  const detail =
    row.kind === 'internal-ca'
      ? `the list of ${row.alias} is made here: GET /v1/crl/${row.alias}.crl`
      : `${row.alias} is no trusted CA of TLS clients`;
  throw new FaultError({ code: 'certificate-purpose', detail });
}

/**
 * Reads a list and verifies that this CA has signed it. It takes its time on a long list: never under the write lock.
 *
 * @param file PEM or DER
 * @param now milliseconds since the epoch
 * @throws FaultError `crl-malformed`, `crl-unsupported`
 */
export async function verifyCrl(
  ca: Pick<CertificateRow, 'chain'>,
  file: Uint8Array,
  now: number,
): Promise<VerifiedCrl> {
  const der = unwrap(readCrlFile(file));
  const crl = unwrap(await parseCrl(der, storedLeaf(ca)));
  if (crl.thisUpdate.getTime() > now + skewMs) {
    throw refused('crl-malformed', `it begins in the future: ${crl.thisUpdate.toISOString()}`);
  }
  const chunks = packSerials(crl.revoked.keys());
  return {
    number: crl.number.toString(),
    thisUpdate: crl.thisUpdate.toISOString(),
    nextUpdate: crl.nextUpdate.toISOString(),
    entries: crl.revoked.size,
    sha256: sha256Hex(der),
    der,
    chunks: chunks.map((bytes) => ({ sha256: sha256Hex(bytes), bytes })),
  };
}

/** Has the list ended at that time? */
export const hasEnded = ({ nextUpdate }: { readonly nextUpdate: string | null }, now: number): boolean =>
  nextUpdate === null || Date.parse(nextUpdate) < now;

/**
 * Why the list may not take the place of the one that there is: numbers count up, times do not go back, and a list that
 * has ended never takes the place of a good one (design section 4).
 */
function outdated(next: VerifiedCrl, held: CrlFacts, now: number): string | undefined {
  if (BigInt(next.number) <= BigInt(held.number)) {
    return `it has the number ${next.number}, the one in force ${held.number}`;
  }
  if (next.thisUpdate < held.thisUpdate) {
    return `it is of ${next.thisUpdate}, the one in force of ${held.thisUpdate}`;
  }
  if (hasEnded(next, now) && !hasEnded(held, now)) return `it ended ${next.nextUpdate}`;
  return undefined;
}

/**
 * Puts a verified list in force.
 *
 * @param now milliseconds since the epoch
 * @returns `unchanged` where it is the one that there is
 * @throws FaultError `crl-outdated`; `not-found` where the CA was deleted or changed meanwhile
 */
export async function putCrl(
  change: Change,
  ca: CertificateRow,
  list: VerifiedCrl,
  source: 'uploaded' | 'fetched',
  now: number,
): Promise<'stored' | 'unchanged'> {
  const row = await findCertificate(change.queries, ca.id);
  if (row?.spkiSha256 !== ca.spkiSha256)
    throw new FaultError({ code: 'not-found', detail: 'the CA is gone' });
  const held = await findCrlFacts(change.queries, ca.id);
  if (held?.sha256 === list.sha256) return 'unchanged';
  const why = held && outdated(list, held, now);
  if (why !== undefined) throw refused('crl-outdated', why);
  const { der, chunks, ...facts } = list;
  await saveCrl(change.queries, { ca: ca.id, source, ...facts, der, storedAt: change.at }, chunks);
  change.audit(`crl.${source}`, `certificate:${ca.id}`, {
    alias: row.alias,
    number: facts.number,
    nextUpdate: facts.nextUpdate,
    entries: facts.entries,
    sha256: facts.sha256,
  });
  if (checksCrl(row)) change.touch('all');
  return 'stored';
}
