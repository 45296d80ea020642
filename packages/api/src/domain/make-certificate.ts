import { type Bytes, fromBase64, toBase64 } from '@sallyport/bytes';
import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import {
  generateKeyPair,
  type Issuer,
  issueCertificate,
  type ParsedCertificate,
  parseAuthorizedKey,
  parseCertificate,
  privateKeyMatches,
  readPemCertificates,
  readPemPrivateKey,
  toPem,
} from '@sallyport/pki';
import {
  type CertificateRow,
  certificatesOfKinds,
  certificatesWithKey,
  findAccount,
  findCertificateAlias,
  findInstallation,
  findRevokedKey,
  findZone,
  type Queries,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { nothingFurther } from './certificate-row.ts';
import { chainFacts } from './chain-facts.ts';
import { newId } from './identifier.ts';
import type { MakeRequest } from './read-import.ts';
import { leafOf, privateKeyPurpose } from './zone-content.ts';

/** Purpose under which the wrapping issuer's key is encrypted at rest. */
export const wrappingIssuerPurpose = 'wrapping-issuer';

const dayMs = 86_400_000;
/** A fresh certificate is valid from a little before now, for peers whose clock is behind. */
const backdateMs = 5 * 60_000;
/** RFC 5280 section 4.1.2.5: no well-defined end. An SSH key's end is its `validUntil`. */
const noEnd = new Date('9999-12-31T23:59:59Z');

/** A new row, and the private key that is answered once where the holder gets it. */
export type MadeCertificate = { readonly row: CertificateRow; readonly privateKeyPem?: string };

type Making<S extends MakeRequest['source']> = Extract<MakeRequest, { source: S }>;

/**
 * Makes the certificate that a request describes; nothing is written yet.
 * Throws FaultError with the field that is wrong: `certificate-malformed`, `key-mismatch`, `alias-in-use`, …
 */
export async function makeCertificate(
  deps: Dependencies,
  queries: Queries,
  request: MakeRequest,
): Promise<MadeCertificate> {
  const kind = kindOf(request);
  if (await findCertificateAlias(queries, kind, request.alias)) {
    unwrap(refuseField('alias-in-use', '/alias', `there is a ${kind} certificate ${request.alias} already`));
  }
  if ('zones' in request) for (const zone of request.zones) await requireZone(queries, zone);
  if ('account' in request && !(await findAccount(queries, request.account))) {
    unwrap(refuseField('invalid-request', '/account', 'there is no such account'));
  }
  switch (request.source) {
    case 'generate-local':
      return generateLocal(deps, queries, request);
    case 'import-local':
      return importLocal(deps, queries, request);
    case 'import-ssh-public-key':
      return importSshPublicKey(deps, queries, request);
    case 'issue-login':
      return issueLogin(deps, queries, request);
    case 'import-login':
      return importLogin(deps, queries, request);
    case 'import-trusted':
      return importTrusted(deps, queries, request);
    case 'wrap-host-key':
      return wrapHostKey(deps, queries, request);
  }
}

const kinds = {
  'generate-local': 'local',
  'import-local': 'local',
  'import-ssh-public-key': 'login',
  'issue-login': 'login',
  'import-login': 'login',
  'import-trusted': 'trusted',
  'wrap-host-key': 'local',
} as const satisfies Record<MakeRequest['source'], CertificateRow['kind']>;

/** The kind of certificate that a request makes. */
export const kindOf = (request: MakeRequest): CertificateRow['kind'] => kinds[request.source];

async function requireZone(queries: Queries, zone: string): Promise<void> {
  if (!(await findZone(queries, zone)))
    unwrap(refuseField('invalid-request', '/zones', `there is no zone ${zone}`));
}

async function generateLocal(
  deps: Dependencies,
  queries: Queries,
  request: Making<'generate-local'>,
): Promise<MadeCertificate> {
  const ca = await internalCa(deps, queries);
  const pair = await generateKeyPair(request.keyType);
  const certificate = await issueCertificate({
    issuer: ca,
    spki: pair.spki,
    subject: { commonName: request.commonName ?? request.alias.slice(0, 64) },
    sans: request.sans,
    purpose: 'tls-server',
    ...validity(deps.now(), request.validDays, ca),
  });
  return { row: await withPrivateKey(deps, newRow(deps, request, [certificate]), pair.privateKey) };
}

async function importLocal(
  deps: Dependencies,
  queries: Queries,
  request: Making<'import-local'>,
): Promise<MadeCertificate> {
  const chain = readChain(request.pem);
  const privateKey = atField('/privateKey', () => unwrap(readPemPrivateKey(request.privateKey)));
  const leaf = parsedLeaf(chain);
  if (!(await privateKeyMatches(leaf.spki, privateKey))) {
    unwrap(refuseField('key-mismatch', '/privateKey', 'the private key is not the certificate’s'));
  }
  await refuseRevokedKey(queries, leaf.key.spkiSha256, '/pem');
  return { row: await withPrivateKey(deps, newRow(deps, request, chain), privateKey) };
}

async function wrapHostKey(
  deps: Dependencies,
  queries: Queries,
  request: Making<'wrap-host-key'>,
): Promise<MadeCertificate> {
  const certificate = await issueCertificate({
    issuer: await wrappingIssuer(deps, queries),
    spki: request.spki,
    subject: { commonName: request.alias.slice(0, 64) },
    sans: [],
    purpose: 'ssh-server',
    notBefore: new Date(deps.now() - backdateMs),
    notAfter: noEnd,
  });
  const row = newRow(deps, request, [certificate]);
  await refuseRevokedKey(queries, row.spkiSha256, '/data');
  const wrapped: CertificateRow = { ...row, form: 'ssh-key', comment: request.comment.slice(0, 200) || null };
  return { row: await withPrivateKey(deps, wrapped, request.privateKey) };
}

async function importSshPublicKey(
  deps: Dependencies,
  queries: Queries,
  request: Making<'import-ssh-public-key'>,
): Promise<MadeCertificate> {
  const key = atField('/publicKey', () => unwrap(parseAuthorizedKey(request.publicKey)));
  await refuseKnownKey(queries, key.facts.spkiSha256, request.account, '/publicKey');
  const certificate = await issueCertificate({
    issuer: await wrappingIssuer(deps, queries),
    spki: key.spki,
    subject: { commonName: request.alias.slice(0, 64) },
    sans: [],
    purpose: 'ssh-client',
    notBefore: new Date(deps.now() - backdateMs),
    notAfter: noEnd,
  });
  const validUntil = request.validUntil ?? key.options.validUntil ?? null;
  return {
    row: {
      ...newRow(deps, request, [certificate]),
      form: 'ssh-key',
      match: 'public-key',
      anchor: 'path',
      validUntil,
      comment: key.comment.slice(0, 200) || null,
    },
  };
}

async function issueLogin(
  deps: Dependencies,
  queries: Queries,
  request: Making<'issue-login'>,
): Promise<MadeCertificate> {
  const ca = await internalCa(deps, queries);
  const pair = await generateKeyPair(request.keyType);
  const certificate = await issueCertificate({
    issuer: ca,
    spki: pair.spki,
    subject: { commonName: request.commonName ?? request.alias.slice(0, 64) },
    sans: [],
    purpose: 'tls-client',
    ...validity(deps.now(), request.validDays, ca),
  });
  return {
    row: { ...newRow(deps, request, [certificate]), match: request.match, anchor: 'path' },
    privateKeyPem: toPem('PRIVATE KEY', pair.privateKey),
  };
}

async function importLogin(
  deps: Dependencies,
  queries: Queries,
  request: Making<'import-login'>,
): Promise<MadeCertificate> {
  const chain = readChain(request.pem);
  const leaf = parsedLeaf(chain);
  if (leaf.isCa) unwrap(refuseField('certificate-purpose', '/pem', 'a CA certificate cannot log in'));
  if (request.anchor === 'pinned' && request.match === 'issuer+subject') {
    unwrap(
      refuseField(
        'certificate-purpose',
        '/match',
        'a pinned certificate matches by certificate or public-key',
      ),
    );
  }
  await refuseKnownKey(queries, leaf.key.spkiSha256, request.account, '/pem');
  return { row: { ...newRow(deps, request, chain), match: request.match, anchor: request.anchor } };
}

async function importTrusted(
  deps: Dependencies,
  queries: Queries,
  request: Making<'import-trusted'>,
): Promise<MadeCertificate> {
  const chain = readChain(request.pem);
  if (chain.length !== 1)
    unwrap(refuseField('certificate-malformed', '/pem', 'import one CA certificate at a time'));
  const ca = parsedLeaf(chain);
  if (!ca.isCa) unwrap(refuseField('certificate-purpose', '/pem', 'basicConstraints does not say CA'));
  if (ca.notAfter.getTime() <= deps.now())
    unwrap(refuseField('certificate-purpose', '/pem', 'the CA has expired'));
  await refuseRevokedKey(queries, ca.key.spkiSha256, '/pem');
  const same = (await certificatesOfKinds(queries, ['trusted', 'internal-ca'])).find(
    (row) => row.sha256 === ca.sha256,
  );
  if (same) unwrap(refuseField('alias-in-use', '/pem', `this CA is there already as ${same.alias}`));
  return { row: { ...newRow(deps, request, chain), usage: 'tls-clients' } };
}

/** A key that was revoked anywhere never comes back, in whatever certificate (reference R5). */
async function refuseRevokedKey(queries: Queries, spkiSha256: string, pointer: string): Promise<void> {
  const revoked = await findRevokedKey(queries, spkiSha256);
  if (revoked) unwrap(refuseField('key-revoked', pointer, `this key was revoked on ${revoked.at}`));
}

/** A key that this account has is not registered a second time (reference R4). */
async function refuseKnownKey(
  queries: Queries,
  spkiSha256: string,
  account: string,
  pointer: string,
): Promise<void> {
  await refuseRevokedKey(queries, spkiSha256, pointer);
  for (const row of await certificatesWithKey(queries, spkiSha256)) {
    if (row.account === account)
      unwrap(refuseField('alias-in-use', pointer, `the account has this key as ${row.alias}`));
  }
}

/** Runs a parser and puts its refusal on a field. */
function atField<T>(pointer: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const detail = error.fault.detail ?? error.message;
    throw new FaultError({ ...error.fault, fields: [{ pointer, detail }] });
  }
}

const readChain = (pem: string): Bytes[] => atField('/pem', () => unwrap(readPemCertificates(pem)));

const parsedLeaf = (chain: readonly Bytes[]): ParsedCertificate =>
  atField('/pem', () => unwrap(parseCertificate(chain[0] as Bytes)));

function newRow(deps: Dependencies, request: MakeRequest, chain: readonly Bytes[]): CertificateRow {
  return {
    id: newId('crt', deps.randomBytes),
    alias: request.alias,
    kind: kindOf(request),
    form: 'x509',
    zones: 'zones' in request ? request.zones : [],
    account: 'account' in request ? request.account : null,
    match: null,
    anchor: null,
    ...chainFacts(chain.map(toBase64), parsedLeaf(chain)),
    ...nothingFurther,
    version: 1,
    createdAt: new Date(deps.now()).toISOString(),
  };
}

async function withPrivateKey(
  deps: Dependencies,
  row: CertificateRow,
  privateKey: Bytes,
): Promise<CertificateRow> {
  return { ...row, privateKey: await deps.keys.wrap(privateKeyPurpose(row.id), privateKey) };
}

/** Never outlives its CA: a certificate that no path leads to helps nobody. */
function validity(now: number, validDays: number, ca: Issuer): { notBefore: Date; notAfter: Date } {
  const caEnd = unwrap(parseCertificate(ca.certificate)).notAfter.getTime();
  return {
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(Math.min(now + validDays * dayMs, caEnd)),
  };
}

async function internalCa(deps: Dependencies, queries: Queries): Promise<Issuer> {
  const rows = await certificatesOfKinds(queries, ['internal-ca']);
  const row = rows.find((candidate) => candidate.revokedAt === null && candidate.privateKey !== null);
  if (!row?.privateKey) {
    throw new FaultError({ code: 'certificate-purpose', detail: 'there is no internal CA that can sign' });
  }
  return {
    certificate: leafOf(row),
    privateKey: await deps.keys.unwrap(privateKeyPurpose(row.id), row.privateKey),
  };
}

async function wrappingIssuer(deps: Dependencies, queries: Queries): Promise<Issuer> {
  const found = await findInstallation(queries);
  if (!found?.wrappingIssuer || !found.wrappingIssuerKey) {
    throw new FaultError({
      code: 'internal',
      detail: 'there is no wrapping issuer; sallyport init makes it',
    });
  }
  return {
    certificate: fromBase64(found.wrappingIssuer),
    privateKey: await deps.keys.unwrap(wrappingIssuerPurpose, found.wrappingIssuerKey),
  };
}
