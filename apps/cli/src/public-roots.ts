import { createHash, X509Certificate } from 'node:crypto';
import type { Client } from '@sallyport/client';
import { FaultError } from '@sallyport/faults';
import type { Certificate } from '@sallyport/model';

/** Beginning of the aliases of public roots: by it they are known again. */
const prefix = 'public-';

/** What became of the roots. */
export type RootsReport = {
  readonly added: string[];
  /** There already, whatever their alias. */
  readonly present: string[];
  /** Subject and reason: expired ones, keys that are not accepted. */
  readonly refused: { readonly subject: string; readonly reason: string }[];
};

const commonName = ({ subject }: X509Certificate): string =>
  /^(?:CN|OU|O)=(.*)$/m.exec(subject.split('\n').reverse().join('\n'))?.[1] ?? 'root';

/** The alias of a root: people read its name in it, the digest keeps two of one name apart. */
export function rootAlias(pem: string): string {
  const certificate = new X509Certificate(pem);
  const name = commonName(certificate)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return `${prefix}${name}-${createHash('sha256').update(certificate.raw).digest('hex').slice(0, 8)}`;
}

/**
 * Trusts public root CAs: off unless an operator asks for it. What they vouch for still logs in nobody who is not
 * registered.
 *
 * @param roots PEM
 */
export async function importPublicRoots(api: Client, roots: readonly string[]): Promise<RootsReport> {
  const report: RootsReport = { added: [], present: [], refused: [] };
  const trusted = new Set((await api.certificates.list({ kind: 'trusted' })).map(({ sha256 }) => sha256));
  for (const pem of roots) {
    const { raw, subject } = new X509Certificate(pem);
    const alias = rootAlias(pem);
    if (trusted.has(createHash('sha256').update(raw).digest('hex'))) {
      report.present.push(alias);
      continue;
    }
    try {
      await api.certificates.create({ source: 'import', kind: 'trusted', alias, text: pem });
      report.added.push(alias);
    } catch (error) {
      if (!(error instanceof FaultError) || !/^(certificate|key)-/.test(error.fault.code)) throw error;
      report.refused.push({ subject, reason: error.fault.detail ?? error.fault.code });
    }
  }
  return report;
}

/**
 * Takes the trust in public roots back. One that logins rest on stays, and the report says so.
 *
 * @returns aliases
 */
export async function removePublicRoots(
  api: Client,
): Promise<{ readonly removed: string[]; readonly inUse: string[] }> {
  const removed: string[] = [];
  const inUse: string[] = [];
  const trusted: Certificate[] = await api.certificates.list({ kind: 'trusted' });
  for (const { id, alias, version } of trusted.filter((one) => one.alias.startsWith(prefix))) {
    try {
      await api.certificates.remove(id, version);
      removed.push(alias);
    } catch (error) {
      if (!(error instanceof FaultError) || error.fault.code !== 'in-use') throw error;
      inUse.push(alias);
    }
  }
  return { removed, inUse };
}
