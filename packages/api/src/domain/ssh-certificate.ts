import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import type { SshCertificateCreate, SshCertificateView } from '@sallyport/model';
import {
  keyFacts,
  parseAuthorizedKey,
  parseSshCertificate,
  signSshCertificate,
  sshCertificateLine,
} from '@sallyport/pki';
import { type CertificateRow, findRevokedKey, type Queries, type SshCertificateRow } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { signingKeys } from './certificate-authority.ts';
import { newId } from './identifier.ts';

/** A certificate is valid from a little before now, for hosts whose clock is behind. */
const backdateMs = 5 * 60_000;

const wholeSeconds = (time: number): Date => new Date(Math.floor(time / 1_000) * 1_000);

function statusOf(row: SshCertificateRow, now: number): SshCertificateView['status'] {
  if (row.revokedAt !== null) return 'revoked';
  if (Date.parse(row.validBefore) <= now) return 'expired';
  return Date.parse(row.validAfter) > now ? 'not-yet-valid' : 'valid';
}

/** What is recorded of an OpenSSH certificate, as the API answers it. */
export const sshCertificateView = (row: SshCertificateRow, now: number): SshCertificateView => ({
  id: row.id,
  certificateAuthority: row.ca,
  caFingerprint: row.caFingerprint,
  type: row.type,
  serial: row.serial,
  keyId: row.keyId,
  principals: row.principals,
  validAfter: row.validAfter,
  validBefore: row.validBefore,
  key: row.key,
  status: statusOf(row, now),
  ...(row.revokedAt === null ? {} : { revokedAt: row.revokedAt }),
  createdAt: row.createdAt,
});

const readKey = (publicKey: string) => {
  const parsed = parseAuthorizedKey(publicKey.trim());
  if (!parsed.ok) {
    const { fault } = parsed;
    const detail = fault.detail ?? 'cannot be read';
    throw new FaultError({ ...fault, fields: [{ pointer: '/publicKey', detail }] });
  }
  if (Object.keys(parsed.value.options).length > 0) {
    const detail = 'a certificate says what its holder may: give the key without options';
    unwrap(refuseField('key-option-unsupported', '/publicKey', detail));
  }
  return parsed.value;
};

/**
 * Signs an OpenSSH certificate by an internal CA; nothing is written yet. It never outlives its CA.
 *
 * @returns the record, and the line of the `*-cert.pub` file
 * @throws FaultError with the field that is wrong, `certificate-purpose` for a CA that does not sign, `key-revoked`
 */
export async function makeSshCertificate(
  deps: Dependencies,
  queries: Queries,
  ca: CertificateRow,
  request: SshCertificateCreate,
): Promise<{ readonly row: SshCertificateRow; readonly line: string }> {
  const key = readKey(request.publicKey);
  const revoked = await findRevokedKey(queries, key.facts.spkiSha256);
  if (revoked) unwrap(refuseField('key-revoked', '/publicKey', `this key was revoked on ${revoked.at}`));
  const keys = await signingKeys(deps, ca);
  const now = deps.now();
  const validAfter = wholeSeconds(now - backdateMs);
  const validBefore = wholeSeconds(Math.min(now + request.validFor * 1_000, keys.notAfter.getTime()));
  const serial = new DataView(deps.randomBytes(8).buffer).getBigUint64(0);
  const { type, keyId, principals } = request;
  const blob = await signSshCertificate(keys, {
    kind: type,
    key: key.blob,
    serial,
    keyId,
    principals,
    validAfter,
    validBefore,
    ...(request.type === 'user'
      ? {
          sources: request.criticalOptions['source-address'],
          forceCommand: request.criticalOptions['force-command'],
          extensions: request.extensions,
        }
      : {}),
  });
  const certificate = unwrap(parseSshCertificate(blob));
  return {
    row: {
      id: newId('ssh', deps.randomBytes),
      ca: ca.id,
      caFingerprint: unwrap(keyFacts(keys.spki)).sshFingerprint,
      type,
      serial: String(serial),
      keyId,
      principals,
      validAfter: validAfter.toISOString(),
      validBefore: validBefore.toISOString(),
      key: certificate.facts,
      revokedAt: null,
      createdAt: new Date(now).toISOString(),
    },
    line: `${sshCertificateLine(certificate, keyId)}\n`,
  };
}
