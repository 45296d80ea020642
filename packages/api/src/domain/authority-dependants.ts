import { fromBase64 } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import { issuedBy, type ParsedCertificate, parseCertificate } from '@sallyport/pki';
import {
  type CertificateRow,
  certificatesNaming,
  certificatesOfKinds,
  liveSshLoginsOf,
  type Queries,
  serversByCertificate,
} from '@sallyport/store';
import { leafOf } from './stored-certificate.ts';
import { isTrustedCa } from './trusted-now.ts';

const chainOf = (row: CertificateRow): ParsedCertificate[] =>
  row.chain.map((der) => unwrap(parseCertificate(fromBase64(der))));

async function anyIssuedBy(chain: readonly ParsedCertificate[], ca: ParsedCertificate): Promise<boolean> {
  for (const certificate of chain) if (await issuedBy(certificate, ca)) return true;
  return false;
}

/**
 * What would stop working if a CA were trusted no longer from some moment on: servers that present a certificate below
 * it, TLS logins below it, and logins by OpenSSH certificates that it signed. Whatever another trusted CA vouches for as
 * well does not stop. SSH keys rest on no CA.
 *
 * @param from milliseconds since the epoch; what ends before has not been stopped by it
 * @returns `server:name`, `certificate:alias` and `ssh-certificate:key id`
 */
export async function authorityDependants(
  queries: Queries,
  row: CertificateRow,
  from: number,
): Promise<string[]> {
  const at = new Date(from).toISOString();
  const ca = unwrap(parseCertificate(leafOf(row)));
  const others = (await certificatesOfKinds(queries, ['trusted', 'internal-ca']))
    .filter((other) => other.id !== row.id && isTrustedCa(other, from))
    .map((other) => unwrap(parseCertificate(leafOf(other))));
  const servers = await serversByCertificate(queries);

  const stopped = new Set<string>();
  for (const candidate of await certificatesNaming(queries, row, at)) {
    const presentedBy = candidate.kind === 'local' ? (servers.get(candidate.id) ?? []) : [];
    if (candidate.kind === 'local' ? presentedBy.length === 0 : candidate.anchor === 'pinned') continue;
    const chain = chainOf(candidate);
    if (!(await anyIssuedBy(chain, ca))) continue;
    const vouched = await Promise.all(others.map((other) => anyIssuedBy(chain, other)));
    if (vouched.includes(true)) continue;
    if (candidate.kind === 'login') stopped.add(`certificate:${candidate.alias}`);
    for (const name of presentedBy) stopped.add(`server:${name}`);
  }
  const sshLogins = await liveSshLoginsOf(queries, row.id, at);
  return [...[...stopped].sort(), ...sshLogins.map(({ keyId }) => `ssh-certificate:${keyId}`)];
}

const mostListed = 500;

/** Throws FaultError `confirmation-required` with the list and the count, unless that count was confirmed. */
export function requireConfirmation(dependants: readonly string[], confirm: number | undefined): void {
  const count = dependants.length;
  if (count === 0 || confirm === count) return;
  const detail = `${count} would stop working; send confirm: ${count} to do it all the same`;
  throw new FaultError({
    code: 'confirmation-required',
    detail,
    fields: [{ pointer: '/confirm', detail: String(count) }],
    usedBy: dependants.slice(0, mostListed),
  });
}
