import type { Event, KeyType } from '@sallyport/model';
import {
  allAccounts,
  type CertificateRow,
  findCertificate,
  type HostKeyReceipt,
  hostKeyReceiptsOf,
  type Queries,
  saveHostKeyReceipts,
} from '@sallyport/store';

/** A host key of a server: one certificate that it is assigned. */
export type ServerHostKey = {
  readonly certificate: string;
  readonly fingerprint: string;
  readonly type: KeyType;
  /** The first of its type signs key exchanges; the others are announced. */
  readonly inUse: boolean;
};

/** The host keys that certificates of a server give it, in their order. */
export async function serverHostKeys(
  queries: Queries,
  certificates: readonly string[],
): Promise<ServerHostKey[]> {
  const rows = await Promise.all(certificates.map((id) => findCertificate(queries, id)));
  const known = rows.filter((row): row is CertificateRow => row !== undefined);
  return known.map(({ id, key }, index) => ({
    certificate: id,
    fingerprint: key.sshFingerprint,
    type: key.type,
    inUse: known.findIndex((row) => row.key.type === key.type) === index,
  }));
}

/** Keeps what events of nodes say of who knows which host key: logins over it, and keys that clients had proved. */
export async function keepHostKeyReceipts(
  queries: Queries,
  zone: string,
  events: readonly Event[],
): Promise<void> {
  for (const { kind, outcome, server, account, at, detail } of events) {
    const told =
      kind === 'host-key'
        ? detail?.fingerprints
        : kind === 'login' && outcome === 'permitted'
          ? detail?.hostKey
          : undefined;
    if (server === undefined || account === undefined || typeof told !== 'string') continue;
    const fingerprints = told.split(',').filter((text) => /^SHA256:[A-Za-z0-9+/]{43}$/.test(text));
    await saveHostKeyReceipts(queries, zone, { server, account, at }, fingerprints.slice(0, 16));
  }
}

/** What one account's clients know, by their receipts. */
export const receiptsByAccount = (receipts: readonly HostKeyReceipt[]): Map<string, HostKeyReceipt[]> =>
  Map.groupBy(receipts, (receipt) => receipt.account);

/**
 * Accounts whose clients know a host key that was in use and none that will be: they would be told that the host has
 * changed.
 *
 * @param before certificates of the server until now
 * @param after certificates from now on
 * @returns login names of accounts that there still are
 */
export async function accountsWithout(
  queries: Queries,
  server: string,
  before: readonly string[],
  after: readonly string[],
): Promise<string[]> {
  const inUse = async (certificates: readonly string[]) =>
    new Set(
      (await serverHostKeys(queries, certificates))
        .filter((key) => key.inUse)
        .map(({ fingerprint }) => fingerprint),
    );
  const old = await inUse(before);
  const next = await inUse(after);
  if ([...old].every((fingerprint) => next.has(fingerprint))) return [];
  const names = [...receiptsByAccount(await hostKeyReceiptsOf(queries, server))]
    .filter(
      ([, receipts]) =>
        receipts.some(({ fingerprint }) => old.has(fingerprint)) &&
        !receipts.some(({ fingerprint }) => next.has(fingerprint)),
    )
    .map(([account]) => account);
  if (names.length === 0) return [];
  const existing = new Set((await allAccounts(queries)).map(({ name }) => name));
  return names.filter((name) => existing.has(name));
}
