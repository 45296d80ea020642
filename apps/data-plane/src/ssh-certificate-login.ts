import { equalConstantTime, sha256Hex } from '@sallyport/bytes';
import { normalizedName } from '@sallyport/model';
import {
  type SshCertificate,
  type SshCertificateVerdict,
  sourceIn,
  verifyUserCertificate,
} from '@sallyport/pki';
import type { AccountRecord } from '@sallyport/snapshot/node';
import type { ZoneView } from './zone-view.ts';

/** What an event says of an OpenSSH certificate; none of it is secret. */
export type SshCertificateFacts = {
  /** Decimal. */
  readonly serial: string;
  readonly keyId: string;
  /** OpenSSH fingerprint of the CA's key. */
  readonly caFingerprint: string;
  /** Why it admits nobody. */
  readonly refusal?: string;
};

export const sshCertificateFacts = (
  { serial, keyId, caFacts }: SshCertificate,
  verdict: SshCertificateVerdict,
): SshCertificateFacts => ({
  serial: String(serial),
  keyId: keyId.slice(0, 256),
  caFingerprint: caFacts.sshFingerprint,
  ...(verdict.kind === 'refused' ? { refusal: verdict.detail } : {}),
});

/** Is it a certificate of a CA that is trusted here, so that the operator knows its holder? */
export const isOfTrustedCa = (verdict: SshCertificateVerdict): boolean =>
  verdict.kind === 'accepted' ||
  !['malformed', 'key-unsupported', 'not-for-users', 'untrusted', 'signature'].includes(verdict.reason);

/**
 * Would the OpenSSH certificate log the account in? That its holder has the key, the login's signature proves.
 *
 * @param account its login name, by the zone's rule of case, must be one of the principals
 * @param now milliseconds since the epoch
 */
export async function judgeSshCertificate(
  certificate: SshCertificate,
  account: Pick<AccountRecord, 'name'>,
  circumstances: { readonly view: ZoneView; readonly source: string; readonly now: number },
): Promise<SshCertificateVerdict> {
  const { view, source, now } = circumstances;
  const { nameCase } = view.policy.loginSettings;
  const name = normalizedName(account.name, nameCase);
  const cas = view.trust.sshCasAt(now);
  const verdict = await verifyUserCertificate({
    certificate,
    trustedCas: cas.map(({ key }) => key),
    principal: certificate.principals.find((one) => normalizedName(one, nameCase) === name) ?? account.name,
    sourceAddress: source,
    now: new Date(now),
    isRevoked: ({ blob, facts, caFacts, serial }) =>
      view.isRevoked({ sha256: sha256Hex(blob), spkiSha256: facts.spkiSha256 }) ||
      view.isRevoked({ sha256: '', spkiSha256: caFacts.spkiSha256 }) ||
      view.isSshCertificateRevoked({ caFingerprint: caFacts.sshFingerprint, serial: String(serial) }),
  });
  const ca = cas.find(({ key }) => equalConstantTime(key, certificate.ca));
  if (verdict.kind === 'refused' || !ca?.sources || sourceIn(source, ca.sources)) return verdict;
  // The networks that the CA's key came with (`from` of its line) hold for all that it signs.
  return {
    kind: 'refused',
    reason: 'source-address',
    detail: `${source} is not in a network of the CA ${certificate.caFacts.sshFingerprint}`,
  };
}
