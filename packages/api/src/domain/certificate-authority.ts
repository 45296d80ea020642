import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import type { CertificateAuthority, CertificateAuthorityCreate } from '@sallyport/model';
import {
  createCa,
  importKeyMaterial,
  type KeyPair,
  type ParsedCertificate,
  parseCertificate,
  toPem,
} from '@sallyport/pki';
import type { CertificateRow } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { newRow } from './certificate-row.ts';
import { leafOf, privateKeyPurpose } from './stored-certificate.ts';
import { isTrustedCa } from './trusted-now.ts';

const dayMs = 86_400_000;
/** A fresh certificate is valid from a little before now, for peers whose clock is behind. */
const backdateMs = 5 * 60_000;

/** The internal CA as the API answers it: never its private key. */
export const certificateAuthorityView = (row: CertificateRow, now: number): CertificateAuthority => ({
  id: row.id,
  alias: row.alias,
  state: row.caState ?? 'retired',
  ...(row.trustedUntil === null ? {} : { trustedUntil: row.trustedUntil }),
  trusted: isTrustedCa(row, now),
  subject: row.subject,
  issuer: row.issuer,
  serial: row.serial,
  notBefore: row.notBefore,
  notAfter: row.notAfter,
  key: row.key,
  sha256: row.sha256,
  ...(row.revokedAt === null ? {} : { revokedAt: row.revokedAt }),
  pem: toPem('CERTIFICATE', leafOf(row)),
  version: row.version,
  createdAt: row.createdAt,
});

/** A CA with its key, and the certificates above it. */
type Authority = { readonly chain: readonly Bytes[]; readonly privateKey: Bytes };

/**
 * Makes or reads the CA that a request describes; nothing is written yet. It may cost seconds of key generation or key
 * derivation, so it is called before the write lock is taken.
 * Throws FaultError on the field that is wrong.
 */
export async function readAuthority(request: CertificateAuthorityCreate, now: number): Promise<Authority> {
  if (request.source === 'import') return importedAuthority(request, now);
  const { certificate, privateKey } = await createCa({
    subject: request.subject,
    keyType: request.keyType,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + request.validDays * dayMs),
  });
  return { chain: [certificate], privateKey };
}

async function importedAuthority(
  request: Extract<CertificateAuthorityCreate, { source: 'import' }>,
  now: number,
): Promise<Authority> {
  const imported = await importKeyMaterial(fromBase64(request.data), {
    password: request.password,
    choice: request.choice,
  });
  if (!imported.ok) {
    const { fault } = imported;
    const pointer = fault.code.startsWith('key-password') ? '/password' : '/data';
    throw new FaultError({ ...fault, fields: [{ pointer, detail: fault.detail ?? 'cannot be read' }] });
  }
  const material = imported.value;
  if (material.form === 'choice') {
    throw new FaultError({
      code: 'import-choice-required',
      detail: `${material.recognised}: name one entry as choice`,
      fields: material.entries.map(({ name, key, subject }) => ({
        pointer: '/choice',
        detail: `${name}: ${key.type} ${key.sshFingerprint}${subject === undefined ? '' : `, ${subject}`}`,
      })),
    });
  }
  if (material.form !== 'private-key' || !material.chain[0]) {
    const detail = `this is ${material.recognised}; an internal CA needs its certificate and its private key`;
    return unwrap(refuseField('certificate-purpose', '/data', detail));
  }
  requireAuthority(material.chain[0], now);
  return { chain: material.chain.map(({ der }) => der), privateKey: material.pkcs8 };
}

function requireAuthority({ isCa, keyUsage, notBefore, notAfter }: ParsedCertificate, now: number): void {
  const refused = (detail: string) => unwrap(refuseField('certificate-purpose', '/data', detail));
  if (!isCa) refused('basicConstraints does not say CA');
  if (keyUsage && !keyUsage.includes('keyCertSign')) refused('keyUsage does not let it sign certificates');
  if (notBefore.getTime() > now) refused(`the CA is not valid before ${notBefore.toISOString()}`);
  if (notAfter.getTime() <= now) refused(`the CA has expired on ${notAfter.toISOString()}`);
}

/** The row of a new CA: `prepared`, so trusted everywhere before it signs anything. `admit` judges it. */
export const preparedAuthority = async (
  deps: Dependencies,
  { alias }: Pick<CertificateAuthorityCreate, 'alias'>,
  { chain, privateKey }: Authority,
): Promise<CertificateRow> => ({
  ...(await newRow(deps, { alias, kind: 'internal-ca' }, chain, privateKey)),
  caState: 'prepared',
});

/**
 * The keys of a CA that may sign. Throws FaultError `certificate-purpose` for one that is not active, has no key here or
 * has expired.
 */
export async function signingKeys(
  deps: Dependencies,
  row: CertificateRow,
): Promise<KeyPair & { readonly certificate: Bytes; readonly notAfter: Date }> {
  const certificate = leafOf(row);
  const { notAfter, spki } = unwrap(parseCertificate(certificate));
  const refused = (why: string) =>
    new FaultError({ code: 'certificate-purpose', detail: `the internal CA ${row.alias} ${why}` });
  if (row.revokedAt !== null || row.caState !== 'active') throw refused('does not sign: it is not active');
  if (row.privateKey === null) throw refused('cannot sign: its key is not held here');
  if (notAfter.getTime() <= deps.now()) throw refused('cannot sign: it has expired');
  const privateKey = await deps.keys.unwrap(privateKeyPurpose(row.id), row.privateKey);
  return { certificate, notAfter, spki, privateKey };
}
