import type { SshCertificate } from '@sallyport/pki';
import type { AccountRecord } from '@sallyport/snapshot/node';
import type { Doorway } from './login.ts';
import type { LoginRecord } from './login-record.ts';
import { isOfTrustedCa, judgeSshCertificate, sshCertificateFacts } from './ssh-certificate-login.ts';
import type { ZoneView } from './zone-view.ts';

/**
 * Judges the OpenSSH certificates of one connection. One of a trusted CA that admits nobody is told to the operator,
 * once.
 */
export function createCertificateJudge(
  { now, record }: { readonly now: () => number; readonly record: (login: LoginRecord) => void },
  doorway: Doorway,
) {
  const refused = new Set<string>();

  return async (view: ZoneView, user: string, account: AccountRecord, certificate: SshCertificate) => {
    const circumstances = { view, source: doorway.source, now: now() };
    const verdict = await judgeSshCertificate(certificate, account, circumstances);
    if (verdict.kind === 'accepted' || !isOfTrustedCa(verdict)) return verdict;
    const facts = sshCertificateFacts(certificate, verdict);
    const told = `${user} ${facts.caFingerprint} ${facts.serial} ${verdict.reason}`;
    if (refused.has(told)) return verdict;
    refused.add(told);
    record({
      doorway,
      user,
      outcome: 'refused',
      reason: `ssh-certificate-${verdict.reason}`,
      credential: certificate.facts.sshFingerprint,
      sshCertificate: facts,
      version: view.version,
    });
    return verdict;
  };
}
