import { fromBase64 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { Totp } from '@sallyport/model';
import type { GlobalPolicy } from '@sallyport/policy';
import type { LocalCertificate, RegisteredCertificate, ZoneContent } from '@sallyport/snapshot/publish';
import {
  activeNodes,
  allAccounts,
  allRevocations,
  allSecondFactors,
  type CertificateRow,
  certificatesOfKinds,
  customAlgorithmPolicies,
  findCertificates,
  findZone,
  type KeyEncryption,
  loginCertificatesIn,
  type OcspRow,
  ocspRowsOf,
  type Queries,
  readPolicyDocument,
  revokedSshCertificates,
  serversOfZone,
} from '@sallyport/store';
import { nameHash } from './chain-facts.ts';
import { checksCrl, readCrlRules } from './crl-rules.ts';
import { endOfUse } from './end-of-use.ts';
import { openSecondFactor } from './second-factor.ts';
import { leafOf, privateKeyPurpose, storedLeaf, storedSshBlob } from './stored-certificate.ts';
import { isTrustedCa, isTrustedSshCa } from './trusted-now.ts';

export { leafOf, privateKeyPurpose };

/** The three global policy documents. */
export async function readGlobalPolicy(queries: Queries): Promise<GlobalPolicy> {
  return {
    loginSettings: (await readPolicyDocument(queries, 'login-settings')).body,
    userClasses: (await readPolicyDocument(queries, 'user-classes')).body,
    sslEntries: (await readPolicyDocument(queries, 'ssl-entries')).body,
  };
}

/**
 * Reads all that a zone's snapshot is made of. Private keys come out decrypted, and only those of certificates
 * that a server of the zone is assigned: no other zone's key is touched.
 *
 * @param queries one consistent state
 * @param now milliseconds since the epoch: what has ended by then is left out
 * @param later answers after `queries` has ended; for what is read only where it is needed
 */
export async function readZoneContent(
  queries: Queries,
  keys: KeyEncryption,
  zoneId: string,
  now: number,
  later: Queries = queries,
): Promise<ZoneContent> {
  const zone = await findZone(queries, zoneId);
  if (!zone) throw new FaultError({ code: 'not-found', detail: `zone ${zoneId}` });
  const servers = await serversOfZone(queries, zoneId);
  const assigned = new Set(servers.flatMap((server) => server.certificates));
  const accounts = (await allAccounts(queries)).filter((account) => account.zones.includes(zoneId));
  const factors = await secondFactorsByAccount(queries, keys, new Set(accounts.map(({ id }) => id)));
  const localRows = await findCertificates(queries, [...assigned]);
  const ocsp = new Map((await ocspRowsOf(queries, [...assigned])).map((row) => [row.certificate, row]));
  const loginRows = (await loginCertificatesIn(queries, zoneId)).filter(
    // A weak key logs in where its zone takes such keys, and nowhere else that its account is let into.
    (row) => row.keyType !== 'rsa' || row.key.bits >= zone.importRsaBits,
  );
  const caRows = await certificatesOfKinds(queries, ['trusted', 'internal-ca']);
  const tlsCas = caRows.filter((row) => isTrustedCa(row, now));
  const listing = tlsCas.filter(checksCrl);
  return {
    zone,
    policy: await readGlobalPolicy(queries),
    servers,
    algorithmPolicies: await customAlgorithmPolicies(queries),
    locals: await Promise.all(
      localRows.map(async (row) => ({
        ...(await localCertificate(row, keys)),
        ...stapled(row, ocsp.get(row.id), now),
      })),
    ),
    accounts: accounts.map((account) => ({
      id: account.id,
      name: account.name,
      groups: account.groups,
      home: account.home,
      enabled: account.enabled,
      locked: account.locked,
      ...(account.passwordHash === null ? {} : { passwordHash: account.passwordHash }),
      ...withSecondFactor(factors.get(account.id)),
      permissions: account.permissions,
      limits: account.limits,
      uploadMode: account.uploadMode,
    })),
    registered: loginRows.map((row) => registeredCertificate(row, listing)),
    cas: tlsCas.map((row) => ({ id: row.id, der: leafOf(row), advertise: true, ...endOfTrust(row) })),
    sshCas: caRows
      .filter((row) => isTrustedSshCa(row, now))
      .map((row) => ({
        id: row.id,
        key: storedSshBlob(row),
        ...endOfTrust(row),
        ...(row.sources === null ? {} : { sources: row.sources }),
      })),
    revoked: (await allRevocations(queries))
      .filter(({ zones }) => zones === null || zones.includes(zoneId))
      .map(({ sha256, spkiSha256, at }) => ({ sha256, spkiSha256, at })),
    crlRules: await readCrlRules(queries, later, tlsCas),
    revokedSshCertificates: await revokedSshCertificates(queries, new Date(now).toISOString()),
    nodes: (await activeNodes(queries, zoneId)).map((node) => ({
      id: node.id,
      sealingKey: fromBase64(node.sealingKey),
      overrides: node.overrides,
    })),
  };
}

/** The second factors of these accounts, decrypted: those of other zones are not touched. */
async function secondFactorsByAccount(
  queries: Queries,
  keys: KeyEncryption,
  accounts: ReadonlySet<string>,
): Promise<Map<string, Totp>> {
  const rows = (await allSecondFactors(queries)).filter(({ account }) => accounts.has(account));
  return new Map(
    await Promise.all(rows.map(async (row) => [row.account, await openSecondFactor(row, keys)] as const)),
  );
}

const withSecondFactor = (secondFactor: Totp | undefined): { secondFactor?: Totp } =>
  secondFactor === undefined ? {} : { secondFactor };

/** A CA vouches until it is retired; one whose key came alone, until the end that was given to that key as well. */
function endOfTrust({ form, trustedUntil, validUntil }: CertificateRow): { trustedUntil?: string } {
  const ends = [trustedUntil, form === 'ssh-key' ? validUntil : null].filter((end) => end !== null).sort();
  return ends[0] === undefined ? {} : { trustedUntil: ends[0] };
}

async function localCertificate(row: CertificateRow, keys: KeyEncryption): Promise<LocalCertificate> {
  const common = { id: row.id, form: row.form, key: row.key, chain: row.chain.map(fromBase64) };
  return row.privateKey === null
    ? common
    : { ...common, privateKey: await keys.unwrap(privateKeyPurpose(row.id), row.privateKey) };
}

/** The response that goes with the certificate as it is now, until it ends. */
function stapled(
  { sha256 }: CertificateRow,
  ocsp: OcspRow | undefined,
  now: number,
): Pick<LocalCertificate, 'ocsp'> {
  const { response, nextUpdate } = ocsp ?? {};
  const good = ocsp?.sha256 === sha256 && response && nextUpdate && Date.parse(nextUpdate) > now;
  return good ? { ocsp: { response, nextUpdate } } : {};
}

/**
 * The CAs among these that may have signed a certificate, with the number that their lists would name it by. Its
 * signature is not looked at: lists are asked, nothing is trusted.
 */
function listedBy(
  row: CertificateRow,
  listing: readonly CertificateRow[],
): Pick<RegisteredCertificate, 'listedBy'> {
  // Most certificates are ruled out by the text: reading one costs more than all the rest.
  const named = row.form === 'x509' ? listing.filter(({ subject }) => subject === row.issuer) : [];
  if (named.length === 0) return {};
  const { issuerDer, authorityKeyId, serial } = storedLeaf(row);
  const issuer = nameHash(issuerDer);
  const cas = named.filter(
    ({ subjectHash, subjectKeyId }) =>
      subjectHash === issuer &&
      (authorityKeyId === undefined || subjectKeyId === null || subjectKeyId === authorityKeyId),
  );
  return cas.length === 0 ? {} : { listedBy: { cas: cas.slice(0, 16).map(({ id }) => id), serial } };
}

function registeredCertificate(
  row: CertificateRow,
  listing: readonly CertificateRow[],
): RegisteredCertificate {
  const validUntil = endOfUse(row, { notAfter: new Date(row.notAfter) });
  // Only who is matched by name needs the names, and reading a certificate costs more than all the rest.
  const names = row.match === 'issuer+subject' ? storedLeaf(row) : undefined;
  return {
    account: row.account ?? '',
    certificate: row.id,
    form: row.form,
    match: row.match ?? 'certificate',
    anchor: row.anchor ?? 'path',
    sha256: row.sha256,
    spkiSha256: row.spkiSha256,
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(row.sources === null ? {} : { sources: row.sources }),
    ...listedBy(row, listing),
    issuer: names?.issuerDer ?? new Uint8Array(0),
    subject: names?.subjectDer ?? new Uint8Array(0),
    ...(names && row.chain.length > 1
      ? { issuerSpkiSha256: storedLeaf({ chain: row.chain.slice(1) }).key.spkiSha256 }
      : {}),
  };
}
