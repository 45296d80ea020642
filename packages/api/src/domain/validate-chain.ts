import { type Bytes, fromBase64, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { ChainValidation, ChainValidationRequest } from '@sallyport/model';
import {
  importKeyMaterial,
  type ParsedCertificate,
  parseCertificate,
  type RevocationRule,
  readSerials,
  reportPaths,
  revocationCheck,
  trustAnchors,
} from '@sallyport/pki';
import {
  type CertificateRow,
  certificatesOfKinds,
  crlChunksOf,
  findCrlFacts,
  type Queries,
  revocationsOfCertificates,
} from '@sallyport/store';
import { checksCrl } from './crl-rules.ts';
import { leafOf, leastStoredRsaBits, storedLeaf } from './stored-certificate.ts';
import { isTrustedCa } from './trusted-now.ts';

/** The certificate in question, and others at hand. */
export type ChainFile = { readonly leaf: ParsedCertificate; readonly others: readonly ParsedCertificate[] };

const refused = (code: 'certificate-malformed' | 'certificate-purpose', pointer: string, detail: string) =>
  new FaultError({ code, detail, fields: [{ pointer, detail }] });

/**
 * Reads the certificates of a request.
 *
 * @throws FaultError on the field: what `importKeyMaterial` says, or that there is no certificate in it
 */
export async function readChainFile(
  request: Pick<ChainValidationRequest, 'pem' | 'data'>,
): Promise<ChainFile> {
  const pointer = request.pem === undefined ? '/data' : '/pem';
  const bytes: Bytes = request.pem === undefined ? fromBase64(request.data ?? '') : utf8(request.pem);
  const imported = await importKeyMaterial(bytes, { workMilliseconds: 100, allowRsa1024: true });
  if (!imported.ok) {
    const { detail = 'cannot be read' } = imported.fault;
    throw new FaultError({ ...imported.fault, fields: [{ pointer, detail }] });
  }
  const material = imported.value;
  if (material.form !== 'certificates') {
    throw refused('certificate-purpose', pointer, `this is ${material.recognised}, no certificate`);
  }
  const [leaf, ...others] = [...material.chain, ...material.extra];
  if (!leaf) throw refused('certificate-malformed', pointer, 'there is no certificate');
  return { leaf, others };
}

/** The certificates of a stored chain. */
export function storedChain(row: CertificateRow): ChainFile {
  const others = row.chain.slice(1).flatMap((der) => {
    const parsed = parseCertificate(fromBase64(der), leastStoredRsaBits);
    return parsed.ok ? [parsed.value] : [];
  });
  return { leaf: storedLeaf(row), others };
}

/** The lists of those among the CAs that these certificates name as issuer. */
async function rulesFor(
  queries: Queries,
  cas: readonly CertificateRow[],
  certificates: readonly ParsedCertificate[],
): Promise<RevocationRule[]> {
  const issuers = new Set(certificates.map(({ issuer }) => issuer));
  const rules: RevocationRule[] = [];
  for (const row of cas) {
    if (!checksCrl(row) || !issuers.has(row.subject)) continue;
    const facts = await findCrlFacts(queries, row.id);
    const serials = facts && readSerials(await crlChunksOf(queries, row.id));
    rules.push({
      ca: storedLeaf(row),
      onStaleCrl: row.onStaleCrl ?? 'accept-with-alarm',
      ...(facts?.nextUpdate && serials?.ok
        ? { list: { number: facts.number, nextUpdate: new Date(facts.nextUpdate), serials: serials.value } }
        : {}),
    });
  }
  return rules;
}

/**
 * Judges a chain as nodes would, and says of every way up what is wrong with it.
 *
 * @param at moment that validity is judged at, in milliseconds; revocation is judged as it is known now
 * @param now milliseconds since the epoch: which CAs are trusted
 */
export async function validateChain(
  queries: Queries,
  { leaf, others }: ChainFile,
  purpose: ChainValidationRequest['purpose'],
  at: number,
  now: number,
): Promise<ChainValidation> {
  const cas = (await certificatesOfKinds(queries, ['trusted', 'internal-ca'])).filter((row) =>
    isTrustedCa(row, now),
  );
  const involved = [leaf, ...others];
  const bySha256 = new Map(cas.map((row) => [row.sha256, row]));
  const revoked = await revocationsOfCertificates(queries, [
    ...involved.map(({ sha256, key }) => ({ sha256, spkiSha256: key.spkiSha256 })),
    ...cas,
  ]);
  const revokedDigests = new Set(revoked.flatMap(({ sha256, spkiSha256 }) => [sha256, spkiSha256]));
  const rules = await rulesFor(queries, cas, [...involved, ...cas.map(storedLeaf)]);
  const { paths, complete } = await reportPaths(leaf, others, trustAnchors(cas.map(leafOf)), {
    now: new Date(at),
    isRevoked: ({ sha256, spkiSha256 }) => revokedDigests.has(sha256) || revokedDigests.has(spkiSha256),
    checkIssued: revocationCheck(rules, new Date(now)),
    purpose,
  });
  const shown = paths.map(({ path, anchored, refusals }) => ({
    verdict: anchored && refusals.length === 0 ? ('accepted' as const) : ('refused' as const),
    certificates: path.map(({ subject, serial, sha256 }, step) => {
      const stored = bySha256.get(sha256);
      const top = anchored && step === path.length - 1;
      return {
        subject,
        serial,
        sha256,
        role: step === 0 ? ('leaf' as const) : top ? ('anchor' as const) : ('intermediate' as const),
        ...(stored ? { id: stored.id, alias: stored.alias } : {}),
      };
    }),
    reasons: refusals.map(({ reason, detail }) => ({ reason, detail })),
  }));
  return {
    verdict: shown.some(({ verdict }) => verdict === 'accepted') ? 'accepted' : 'refused',
    subject: leaf.subject,
    issuer: leaf.issuer,
    sha256: leaf.sha256,
    at: new Date(at).toISOString(),
    purpose,
    paths: shown,
    complete,
  };
}
