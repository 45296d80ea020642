import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import type { CertificateCreate, CertificateGenerate } from '@sallyport/model';
import {
  type CertificateContent,
  type CertificatePurpose,
  generateKeyPair,
  issueCertificate,
  type KeyPair,
  selfSignedCertificate,
} from '@sallyport/pki';
import type { CertificateRow, Queries } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { newRow, type RowBasis } from './certificate-row.ts';
import { internalCa, validity, wrappingIssuer, wrapSshKey } from './issuers.ts';
import { privateKeyFile } from './key-file.ts';
import type { MadeCertificate } from './made-certificate.ts';
import { ownCrlUrl } from './own-crl.ts';
import { importSurroundings, readImport } from './read-import.ts';

const defaultDays = 397;

/**
 * Makes or reads the certificate that a request describes. Keys, signatures and key derivations take their time, so
 * this runs before the write lock is taken; `admit` judges the outcome under it.
 *
 * @throws FaultError with the field that is wrong: `certificate-malformed`, `key-mismatch`, `certificate-purpose`, …
 */
export function makeCertificate(
  deps: Dependencies,
  queries: Queries,
  request: CertificateCreate,
): Promise<MadeCertificate> {
  return request.source === 'import'
    ? readImport(deps, importSurroundings(deps, queries), request)
    : generate(deps, queries, request);
}

const refused = (pointer: string, detail: string): FaultError =>
  new FaultError({ code: 'certificate-purpose', detail, fields: [{ pointer, detail }] });

async function generate(
  deps: Dependencies,
  queries: Queries,
  request: CertificateGenerate,
): Promise<MadeCertificate> {
  const basis = basisOf(deps.now(), request);
  const keyType = request.keyType ?? (request.purpose === 'ssh' ? 'ed25519' : 'ecdsa-p256');
  const content = {
    subject: request.subject ?? { commonName: request.alias.slice(0, 64) },
    sans: request.sans,
    purpose: purposeOf(request.kind),
  };
  if (request.purpose === 'tls' && request.kind === 'local' && request.sans.length === 0) {
    unwrap(refuseField('invalid-request', '/sans', 'clients of a TLS server look at nothing else: name one'));
  }
  const pair = await generateKeyPair(keyType);
  const signed =
    request.purpose === 'ssh'
      ? { der: await wrapOf(deps, queries, request, pair) }
      : await signTls(deps, queries, pair, content, {
          days: request.validDays ?? defaultDays,
          issuance: request.issuance ?? 'internal-ca',
        });
  const keeps = request.kind === 'local' || request.kind === 'private';
  const row = await newRow(deps, basis, [signed.der], keeps ? pair.privateKey : undefined);
  const { handOut } = 'handOut' in request ? request : { handOut: undefined };
  return {
    row,
    pointer: '/alias',
    ...('issuedBy' in signed ? { issuedBy: signed.issuedBy } : {}),
    ...(handOut ? { handedOut: await privateKeyFile(row, pair.privateKey, handOut) } : {}),
  };
}

const purposeOf = (kind: CertificateGenerate['kind']): CertificatePurpose =>
  kind === 'local' ? 'tls-server' : 'tls-client';

/** What the row holds besides the certificate; throws FaultError for what the purpose does not take. */
function basisOf(now: number, request: CertificateGenerate): RowBasis {
  const { kind, alias, purpose, issuance, validDays } = request;
  const common = {
    alias,
    kind,
    ...('account' in request ? { account: request.account } : { zones: request.zones }),
    ...('sharedKeyWaiver' in request ? { sharedKeyWaiver: request.sharedKeyWaiver ?? null } : {}),
  };
  if (purpose === 'ssh') {
    if (issuance !== undefined)
      throw refused('/issuance', 'an SSH key is put into its wrapper, which vouches for nothing');
    if (request.sans.length > 0) throw refused('/sans', 'no SSH client looks at the names of a key');
    const match = kind === 'login' ? sshMatch(request.match) : null;
    const validUntil = validDays === undefined ? null : new Date(now + validDays * 86_400_000).toISOString();
    return { ...common, form: 'ssh-key', match, anchor: match === null ? null : 'path', validUntil };
  }
  if (kind !== 'login') return common;
  const match = request.match ?? 'certificate';
  if (issuance !== 'self-signed') return { ...common, match, anchor: 'path' };
  if (match === 'issuer+subject')
    throw refused('/match', 'a pinned certificate matches by certificate or public-key');
  return { ...common, match, anchor: 'pinned' };
}

function sshMatch(match: CertificateRow['match'] | undefined): 'public-key' {
  if (match !== undefined && match !== 'public-key')
    throw refused('/match', 'an SSH key matches by public-key');
  return 'public-key';
}

const wrapOf = async (
  deps: Dependencies,
  queries: Queries,
  { kind, alias, subject }: CertificateGenerate,
  { spki }: KeyPair,
) =>
  wrapSshKey(
    await wrappingIssuer(deps, queries),
    {
      spki,
      role: kind === 'local' ? 'ssh-server' : 'ssh-client',
      name: subject?.commonName ?? alias,
    },
    deps.now(),
  );

/** What a TLS certificate says besides its validity. */
export type TlsContent = Pick<CertificateContent, 'subject' | 'sans' | 'purpose'>;

/**
 * Signs a TLS certificate of a key, by the internal CA or by itself.
 *
 * @param keys `privateKey` is needed for a self-signed one alone
 * @returns DER, and the CA that signed it
 */
export async function signTls(
  deps: Dependencies,
  queries: Queries,
  keys: Omit<KeyPair, 'privateKey'> & Partial<KeyPair>,
  content: TlsContent,
  how: { readonly days: number; readonly issuance: 'internal-ca' | 'self-signed' },
) {
  if (how.issuance === 'self-signed') {
    const { spki, privateKey } = keys;
    if (!privateKey) throw refused('', 'the private key is not held here');
    const dates = validity(deps.now(), how.days);
    return { der: await selfSignedCertificate({ spki, privateKey }, { ...content, ...dates }) };
  }
  const issuer = await internalCa(deps, queries);
  const dates = validity(deps.now(), how.days, issuer);
  return {
    der: await issueCertificate({
      issuer,
      spki: keys.spki,
      ...content,
      ...dates,
      crlUrl: ownCrlUrl(deps, issuer.id),
    }),
    issuedBy: issuer.id,
  };
}
