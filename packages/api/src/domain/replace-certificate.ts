import { type FaultCode, FaultError } from '@sallyport/faults';
import type { CertificateImport, CertificateReplace, KeyType } from '@sallyport/model';
import { type GeneratedKeyType, generateKeyPair, type KeyPair, type ParsedCertificate } from '@sallyport/pki';
import {
  type CertificateRow,
  type Change,
  certificateAuthorities,
  certificateVersionsOf,
  deleteCertificateVersion,
  deleteCrl,
  forgetCrlFetch,
  insertCertificateVersion,
  type Queries,
  updateCertificate,
} from '@sallyport/store';
import type { Caller } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { type Admission, admit } from './admit-certificate.ts';
import { newRow, type RowBasis } from './certificate-row.ts';
import { wrappingIssuer, wrapSshKey } from './issuers.ts';
import { privateKeyFile } from './key-file.ts';
import type { MadeCertificate } from './made-certificate.ts';
import { signTls } from './make-certificate.ts';
import { importSurroundings, readImport } from './read-import.ts';
import { privateKeyPurpose, storedLeaf } from './stored-certificate.ts';

const defaultDays = 397;
/** Earlier versions that are kept of one certificate. */
const mostVersions = 50;

const refused = (pointer: string, detail: string, code: FaultCode = 'certificate-purpose'): FaultError =>
  new FaultError({ code, detail, fields: [{ pointer, detail }] });

/**
 * Makes what is to take a certificate's place behind its alias: the row with its id, its next version, and another
 * chain. It may cost the time of a key: it runs before the write lock is taken, and `replaceCertificate` under it.
 *
 * @param row as it was read
 * @throws FaultError with the field that is wrong
 */
export async function makeReplacement(
  deps: Dependencies,
  queries: Queries,
  row: CertificateRow,
  request: CertificateReplace,
): Promise<MadeCertificate> {
  if (row.kind === 'internal-ca') throw refused('', 'an internal CA is rolled over, not replaced');
  const made = await makeNext(deps, queries, row, request);
  if (made.row.form !== row.form) {
    throw refused(
      made.pointer,
      `${row.alias} is ${what(row)} and stays one: ${what(made.row)} is another kind`,
    );
  }
  return { ...made, row: inPlaceOf(row, made.row) };
}

const what = ({ form }: CertificateRow): string =>
  form === 'ssh-key' ? 'an SSH key in its wrapper' : 'an X.509 certificate';

/** What stays of a certificate when another takes its place: all that an operator has said of it. */
export const inPlaceOf = (row: CertificateRow, next: CertificateRow): CertificateRow => ({
  ...next,
  id: row.id,
  alias: row.alias,
  kind: row.kind,
  zones: row.zones,
  account: row.account,
  match: row.match,
  anchor: row.anchor,
  usage: row.usage,
  caState: row.caState,
  trustedUntil: row.trustedUntil,
  revocation: row.revocation,
  onStaleCrl: row.onStaleCrl,
  crlUrl: row.crlUrl,
  comment: next.comment ?? row.comment,
  sharedKeyWaiver: next.sharedKeyWaiver ?? row.sharedKeyWaiver,
  version: row.version + 1,
  createdAt: row.createdAt,
});

async function makeNext(
  deps: Dependencies,
  queries: Queries,
  row: CertificateRow,
  request: CertificateReplace,
): Promise<MadeCertificate> {
  if (request.source === 'import') {
    return readImport(deps, importSurroundings(deps, queries), importOf(row, request), { id: row.id });
  }
  if (row.kind === 'trusted') throw refused('/source', 'a CA of somebody else is imported');
  if (row.form === 'ssh-key') {
    if (request.source === 'same-key')
      throw refused('/source', 'an SSH key has no certificate to renew; change its validUntil');
    return renewSshKey(deps, queries, row, request);
  }
  const leaf = storedLeaf(row);
  const issuance = await issuanceOf(queries, row, leaf);
  const content = {
    subject: request.source === 'new-key' && request.subject ? request.subject : { der: leaf.subjectDer },
    sans: request.sans ?? row.sans,
    purpose: row.kind === 'local' ? ('tls-server' as const) : ('tls-client' as const),
  };
  const how = { days: request.validDays ?? defaultDays, issuance };
  if (request.source === 'same-key') {
    const privateKey = row.privateKey && (await deps.keys.unwrap(privateKeyPurpose(row.id), row.privateKey));
    const keys = { spki: leaf.spki, ...(privateKey ? { privateKey } : {}) };
    const signed = await signTls(deps, queries, keys, content, how);
    const next = await newRow(deps, basisOf(row), [signed.der], undefined, row.id);
    return { ...signed, row: { ...next, privateKey: row.privateKey }, pointer: '/source' };
  }
  const pair = await generateKeyPair(request.keyType ?? sameKind(row));
  const signed = await signTls(deps, queries, pair, content, how);
  return withNewKey(deps, row, signed, pair, request);
}

/** What of a row a new certificate starts from; the rest comes with `inPlaceOf`. */
const basisOf = ({ alias, kind, form, sources }: CertificateRow): RowBasis => ({
  alias,
  kind,
  form,
  sources,
});

/** Puts a key that was made here into the row, and hands it out where its holder is somebody else. */
async function withNewKey(
  deps: Dependencies,
  row: CertificateRow,
  signed: { readonly der: Parameters<typeof newRow>[2][number]; readonly issuedBy?: string },
  pair: KeyPair,
  { handOut }: Extract<CertificateReplace, { source: 'new-key' }>,
): Promise<MadeCertificate> {
  const isKept = row.kind === 'local' || row.kind === 'private';
  if (!isKept && !handOut)
    throw refused(
      '/handOut',
      'the key is not kept here: say in what file it goes to its holder',
      'invalid-request',
    );
  if (row.kind === 'local' && handOut) throw refused('/handOut', 'the key of a server stays here');
  const next = await newRow(deps, basisOf(row), [signed.der], isKept ? pair.privateKey : undefined, row.id);
  return {
    row: next,
    pointer: '/source',
    ...(signed.issuedBy === undefined ? {} : { issuedBy: signed.issuedBy }),
    ...(handOut ? { handedOut: await privateKeyFile(next, pair.privateKey, handOut) } : {}),
  };
}

async function renewSshKey(
  deps: Dependencies,
  queries: Queries,
  row: CertificateRow,
  request: Extract<CertificateReplace, { source: 'new-key' }>,
): Promise<MadeCertificate> {
  const pair = await generateKeyPair(request.keyType ?? sameKind(row));
  const role = row.kind === 'local' ? ('ssh-server' as const) : ('ssh-client' as const);
  const key = { spki: pair.spki, role, name: row.alias };
  const der = await wrapSshKey(await wrappingIssuer(deps, queries), key, deps.now());
  const made = await withNewKey(deps, row, { der }, pair, request);
  const end =
    request.validDays === undefined
      ? null
      : new Date(deps.now() + request.validDays * 86_400_000).toISOString();
  return { ...made, row: { ...made.row, validUntil: end } };
}

const rsaSizes: Readonly<Record<number, GeneratedKeyType>> = { 2048: 'rsa-2048', 3072: 'rsa-3072' };

/** The kind of key that is made where none is asked for: as it was, and no weaker than we make any. */
const sameKind = ({ key }: Pick<CertificateRow, 'key'>): GeneratedKeyType =>
  key.type === 'rsa'
    ? (rsaSizes[key.bits] ?? (key.bits < 2_048 ? 'rsa-2048' : 'rsa-4096'))
    : notRsa(key.type);

const notRsa = (type: Exclude<KeyType, 'rsa'>): GeneratedKeyType => type;

/** Who signs it anew: whoever signed it, if that was the internal CA or its own key. */
async function issuanceOf(
  queries: Queries,
  row: CertificateRow,
  leaf: ParsedCertificate,
): Promise<'internal-ca' | 'self-signed'> {
  if (leaf.selfIssued) return 'self-signed';
  const own = (await certificateAuthorities(queries)).some(
    ({ kind, subjectHash }) => kind === 'internal-ca' && subjectHash === row.topIssuer,
  );
  if (own) return 'internal-ca';
  throw refused('/source', `it was issued by ${row.issuer}: request a certificate there, or import one`);
}

function importOf(
  row: CertificateRow,
  { source, sharedKeyWaiver, ...file }: Extract<CertificateReplace, { source: 'import' }>,
): CertificateImport {
  const common = { source, alias: row.alias, ...file };
  const account = row.account ?? '';
  switch (row.kind) {
    case 'local': {
      const waiver = sharedKeyWaiver ?? row.sharedKeyWaiver ?? undefined;
      return { ...common, kind: 'local', zones: row.zones, sharedKeyWaiver: waiver };
    }
    case 'login':
      return {
        ...common,
        kind: 'login',
        account,
        match: row.match ?? undefined,
        anchor: row.form === 'x509' ? (row.anchor ?? undefined) : undefined,
      };
    case 'trusted':
      return { ...common, kind: 'trusted' };
    case 'partner':
    case 'private':
      return { ...common, kind: row.kind, account };
    case 'internal-ca':
      throw refused('', 'an internal CA is rolled over, not replaced');
  }
}

/**
 * Puts a row in the place of the one with its id, under the write lock. What was there is kept, key and all, until it
 * is deleted or rolled back to; servers and logins follow with the next snapshot.
 *
 * @param row as it is now
 * @param made what `makeReplacement` made of that same version
 * @returns warnings
 */
export async function replaceCertificate(
  change: Change,
  caller: Caller,
  row: CertificateRow,
  made: Omit<Admission, 'replaces'>,
): Promise<string[]> {
  const { queries } = change;
  const versions = await certificateVersionsOf(queries, row.id);
  if (versions.length >= mostVersions) {
    const detail = `there are ${versions.length} earlier versions: delete some`;
    throw new FaultError({
      code: 'in-use',
      detail,
      usedBy: versions.map(({ number }) => `version:${number}`),
    });
  }
  const [warnings = []] = await admit(change, caller, [{ ...made, replaces: row.id }]);
  await insertCertificateVersion(queries, {
    certificate: row.id,
    number: row.version,
    replacedAt: change.at,
    row,
  });
  if (!(await updateCertificate(queries, made.row, row.version)))
    throw new FaultError({ code: 'precondition-failed' });
  // A list is that of a name and a key: what one CA has signed says nothing of another one.
  if (made.row.spkiSha256 !== row.spkiSha256 || made.row.subjectHash !== row.subjectHash) {
    await deleteCrl(queries, row.id);
    await forgetCrlFetch(queries, row.id);
  }
  return warnings;
}

/**
 * Puts an earlier version back in its place, under the write lock; what was there until now is kept in its stead.
 *
 * @returns the row as it is now, and warnings
 */
export async function rollBack(
  change: Change,
  caller: Caller,
  row: CertificateRow,
  earlier: { readonly number: number; readonly row: CertificateRow },
): Promise<{ readonly row: CertificateRow; readonly warnings: string[] }> {
  const { privateKey, validUntil, sources } = earlier.row;
  const next = { ...inPlaceOf(row, earlier.row), privateKey, validUntil, sources, revokedAt: null };
  await deleteCertificateVersion(change.queries, row.id, earlier.number);
  const warnings = await replaceCertificate(change, caller, row, { row: next, pointer: '/number' });
  return { row: next, warnings };
}
