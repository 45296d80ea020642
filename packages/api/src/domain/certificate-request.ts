import { type Bytes, fromBase64, toBase64, utf8 } from '@sallyport/bytes';
import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import type {
  CertificateRequestCreate,
  CertificateRequestFinish,
  CertificateRequestView,
  SubjectAltName,
} from '@sallyport/model';
import {
  createCertificateRequest,
  generateKeyPair,
  importKeyMaterial,
  type KeyPair,
  orderChain,
  type ParsedCertificate,
  parseCertificateRequest,
  toPem,
} from '@sallyport/pki';
import {
  type CertificateRequestRow,
  type CertificateRow,
  certificatesWithAliases,
  findCertificateRequestAlias,
  findZone,
  type Queries,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { newRow } from './certificate-row.ts';
import { newId } from './identifier.ts';
import { privateKeyPurpose, storedLeaf } from './stored-certificate.ts';

/** Purpose under which a request's private key is encrypted at rest. */
const requestKeyPurpose = (request: string): string => `certificate-request:${request}`;

/** The request as the API answers it: never its private key. */
export const certificateRequestView = (row: CertificateRequestRow): CertificateRequestView => ({
  id: row.id,
  alias: row.alias,
  kind: row.kind as CertificateRequestView['kind'],
  zones: row.zones,
  ...(row.account === null ? {} : { account: row.account }),
  ...(row.replaces === null ? {} : { replaces: row.replaces }),
  subject: row.subject,
  sans: row.sans,
  key: row.key,
  pem: toPem('CERTIFICATE REQUEST', fromBase64(row.request)),
  version: row.version,
  createdAt: row.createdAt,
});

const missing = (pointer: string, detail: string): never =>
  unwrap(refuseField('invalid-request', pointer, detail));

/** Where the finished certificate will stand: said by the request, or by the certificate whose place it takes. */
type Place = Pick<CertificateRequestRow, 'alias' | 'zones' | 'account' | 'replaces'>;

function placeOf(body: CertificateRequestCreate, replaced: CertificateRow | undefined): Place {
  if (!replaced) {
    const { kind, alias = missing('/alias', 'name it'), zones, account } = body;
    if (kind === 'local' && account !== undefined) missing('/account', 'a local certificate has zones');
    if (kind === 'private' && zones !== undefined) missing('/zones', 'a private certificate has an account');
    return {
      alias,
      zones: kind === 'local' ? (zones ?? missing('/zones', 'a local certificate needs them')) : [],
      account: kind === 'private' ? (account ?? missing('/account', 'a private certificate needs it')) : null,
      replaces: null,
    };
  }
  if (replaced.kind !== body.kind) missing('/kind', `${replaced.alias} is a ${replaced.kind} certificate`);
  if (replaced.form !== 'x509') missing('/replaces', `${replaced.alias} is an SSH key in its wrapper`);
  for (const field of ['alias', 'zones', 'account'] as const) {
    if (body[field] !== undefined) missing(`/${field}`, 'that of the certificate stays');
  }
  const { alias, zones, account, id } = replaced;
  return { alias, zones, account, replaces: id };
}

async function keysOf(
  deps: Dependencies,
  { keyType }: CertificateRequestCreate,
  replaced: CertificateRow | undefined,
): Promise<KeyPair> {
  if (keyType !== 'same') return generateKeyPair(keyType);
  if (!replaced) return missing('/keyType', 'the same as what? name the certificate as replaces');
  if (replaced.privateKey === null) return missing('/keyType', 'its private key is not held here');
  const privateKey = await deps.keys.unwrap(privateKeyPurpose(replaced.id), replaced.privateKey);
  return { privateKey, spki: storedLeaf(replaced).spki };
}

/**
 * Makes a key and the request for it; nothing is written yet. RSA keys take their time: it runs before the write lock is
 * taken, and `admitRequest` under it.
 *
 * @param replaced the certificate that `replaces` names
 * @throws FaultError with the field that is wrong
 */
export async function makeRequest(
  deps: Dependencies,
  body: CertificateRequestCreate,
  replaced: CertificateRow | undefined,
): Promise<CertificateRequestRow> {
  const place = placeOf(body, replaced);
  const keys = await keysOf(deps, body, replaced);
  const { subject, sans } = body;
  const der = await createCertificateRequest(keys, { subject, sans });
  const made = unwrap(await parseCertificateRequest(der));
  const id = newId('csr', deps.randomBytes);
  return {
    id,
    ...place,
    kind: body.kind,
    subject: made.subject,
    sans: [...made.sans],
    key: made.key,
    request: toBase64(der),
    privateKey: await deps.keys.wrap(requestKeyPurpose(id), keys.privateKey),
    version: 1,
    createdAt: new Date(deps.now()).toISOString(),
  };
}

/** Under the write lock: the alias is free and the zones are there. Throws FaultError with the field that is wrong. */
export async function admitRequest(queries: Queries, row: CertificateRequestRow): Promise<void> {
  const pending = await findCertificateRequestAlias(queries, row.kind, row.alias);
  if (pending) unwrap(refuseField('alias-in-use', '/alias', `there is a request ${row.alias} already`));
  const taken = (await certificatesWithAliases(queries, [row.alias])).some(
    (other) =>
      other.kind === row.kind &&
      other.id !== row.replaces &&
      (row.kind !== 'private' || other.account === row.account),
  );
  if (taken) {
    unwrap(refuseField('alias-in-use', '/alias', `there is a ${row.kind} certificate ${row.alias} already`));
  }
  for (const zone of row.zones) {
    if (!(await findZone(queries, zone))) missing('/zones', `there is no zone ${zone}`);
  }
}

/** A finished request: the row of its certificate, and what is to be known of it. */
export type FinishedRequest = {
  readonly row: CertificateRow;
  readonly pointer: string;
  readonly warnings: readonly string[];
};

/**
 * Reads what a CA has answered to a request: a certificate of its key, with or without the chain above it, in whatever
 * order and form. The CA may be unknown here (reference R25).
 *
 * @throws FaultError: the refusals of the file, `key-mismatch`, `certificate-purpose`
 */
export async function finishRequest(
  deps: Dependencies,
  request: CertificateRequestRow,
  body: CertificateRequestFinish,
): Promise<FinishedRequest> {
  const pointer = 'pem' in body ? '/pem' : '/data';
  const refused = (code: 'key-mismatch' | 'certificate-purpose', detail: string): never =>
    unwrap(refuseField(code, pointer, detail));
  const imported = await importKeyMaterial('pem' in body ? utf8(body.pem) : fromBase64(body.data));
  if (!imported.ok) {
    const { fault } = imported;
    throw new FaultError({ ...fault, fields: [{ pointer, detail: fault.detail ?? 'cannot be read' }] });
  }
  const material = imported.value;
  if (material.form !== 'certificates') {
    return refused(
      'certificate-purpose',
      `this is ${material.recognised}, not the certificate of a CA's answer`,
    );
  }
  const { spki } = unwrap(await parseCertificateRequest(fromBase64(request.request)));
  const chain = (await orderChain([...material.chain, ...material.extra], spki))?.chain;
  const [leaf] = chain ?? [];
  if (!chain || !leaf)
    return refused('key-mismatch', 'no certificate in it belongs to the key of this request');
  if (leaf.isCa) refused('certificate-purpose', 'the CA has answered with the certificate of a CA');
  const privateKey: Bytes = await deps.keys.unwrap(requestKeyPurpose(request.id), request.privateKey);
  const { alias, kind, zones, account } = request;
  const row = await newRow(
    deps,
    { alias, kind, zones, account },
    chain.map(({ der }) => der),
    privateKey,
    ...(request.replaces === null ? [] : [request.replaces]),
  );
  return { row, pointer, warnings: warningsOf(leaf, request, deps.now()) };
}

const nameOf = ({ type, value }: SubjectAltName): string => `${type}:${value}`;

function warningsOf(leaf: ParsedCertificate, request: CertificateRequestRow, now: number): string[] {
  const warnings: string[] = [];
  const names = new Set(leaf.sans.map(nameOf));
  const left = request.sans.map(nameOf).filter((name) => !names.has(name));
  if (left.length > 0) warnings.push(`the CA has left out ${left.join(', ')}`);
  if (leaf.notAfter.getTime() <= now) warnings.push(`it has expired on ${leaf.notAfter.toISOString()}`);
  if (leaf.notBefore.getTime() > now) warnings.push(`it is not valid before ${leaf.notBefore.toISOString()}`);
  return warnings;
}
