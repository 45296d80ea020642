import { certificateKinds, certificateStatuses, id, type Server, time } from '@sallyport/model';
import {
  type AccountCount,
  accountsBelowCa,
  accountsInZones,
  allServers,
  type CertificateRow,
  certificatesEnding,
  findAccounts,
  localsBelowCa,
  type Queries,
  type Reach,
} from '@sallyport/store';
import { z } from 'zod';
import { type CertificateSurroundings, endOf, readSurroundings, statusOf } from './certificate-view.ts';

/** One certificate that ends, and what ends with it. */
export const expiryItem = z.strictObject({
  id,
  alias: z.string(),
  kind: z.enum(certificateKinds),
  subject: z.string(),
  endsAt: time,
  status: z.enum(certificateStatuses),
  /** What stops, in words; empty: nothing that is served here. */
  stops: z.array(z.string()),
  /** Where: ids of zones, and names of servers. */
  zones: z.array(id),
  servers: z.array(z.string()),
  /** Who meets it: how many accounts, and the first of their names. */
  accounts: z.strictObject({ count: z.int(), names: z.array(z.string()) }),
});
export type ExpiryItem = z.infer<typeof expiryItem>;

const mostItems = 500;
const mostNames = 20;
const nobody: AccountCount = { count: 0, names: [] };

/** What the report reads once, cut to what its reader may see. */
type Basis = {
  readonly queries: Queries;
  readonly reach: Reach;
  readonly servers: readonly Server[];
  readonly inZones: (zones: readonly string[]) => Promise<AccountCount>;
};

/**
 * Certificates that end until a moment, those that are over already included, ordered by blast radius: the most
 * accounts first, then the most servers, then the first to end.
 *
 * @param until milliseconds since the epoch
 */
export async function expiryReport(
  queries: Queries,
  reach: Reach,
  now: number,
  until: number,
): Promise<ExpiryItem[]> {
  const rows = await certificatesEnding(queries, { reach, limit: mostItems }, new Date(until).toISOString());
  const around = await readSurroundings(queries, now);
  const counts = new Map<string, Promise<AccountCount>>();
  const basis: Basis = {
    queries,
    reach,
    servers: (await allServers(queries)).filter(({ zone }) => isReached(reach, zone)),
    inZones(zones) {
      const key = [...zones].sort().join();
      const known = counts.get(key) ?? accountsInZones(queries, zones, mostNames);
      counts.set(key, known);
      return known;
    },
  };
  const items: ExpiryItem[] = [];
  for (const row of rows) items.push(await itemOf(basis, row, around));
  return items.sort(
    (a, b) =>
      b.accounts.count - a.accounts.count ||
      b.servers.length - a.servers.length ||
      a.endsAt.localeCompare(b.endsAt),
  );
}

const isReached = (reach: Reach, zone: string): boolean => reach === '*' || reach.includes(zone);

async function itemOf(
  basis: Basis,
  row: CertificateRow,
  around: CertificateSurroundings,
): Promise<ExpiryItem> {
  const { stops, servers, zones, accounts } = await radiusOf(basis, row);
  return {
    id: row.id,
    alias: row.alias,
    kind: row.kind,
    subject: row.subject,
    endsAt: endOf(row) ?? row.notAfter,
    status: statusOf(row, around),
    stops,
    zones: [...zones].filter((zone) => isReached(basis.reach, zone)),
    servers: servers.map(({ name }) => name),
    accounts: { count: accounts.count, names: [...accounts.names] },
  };
}

type Radius = {
  readonly stops: string[];
  readonly servers: readonly Server[];
  readonly zones: readonly string[];
  readonly accounts: AccountCount;
};

const nothing: Radius = { stops: [], servers: [], zones: [], accounts: nobody };

const zonesOfServers = (servers: readonly Server[]): string[] => [
  ...new Set(servers.map(({ zone }) => zone)),
];

async function radiusOf(basis: Basis, row: CertificateRow): Promise<Radius> {
  switch (row.kind) {
    case 'local':
      return ofServers(basis, new Set([row.id]), row.zones);
    case 'login':
      return ofLogin(basis, row);
    case 'trusted':
    case 'internal-ca':
      return ofCa(basis, row);
    case 'partner':
    case 'private': {
      const [account] = await findAccounts(basis.queries, row.account === null ? [] : [row.account]);
      return { ...nothing, zones: account?.zones ?? [] };
    }
  }
}

/** SSH clients look at the key alone: only TLS ends with the certificate. */
async function ofServers(basis: Basis, ids: ReadonlySet<string>, zones: readonly string[]): Promise<Radius> {
  const servers = basis.servers.filter(
    ({ protocol, certificates }) => protocol !== 'ssh' && certificates.some((used) => ids.has(used)),
  );
  if (servers.length === 0) return { ...nothing, zones };
  const names = servers.map(({ name }) => name).join(', ');
  return {
    stops: [`TLS clients refuse ${names}`],
    servers,
    zones: zonesOfServers(servers),
    accounts: await basis.inZones(zonesOfServers(servers)),
  };
}

async function ofLogin({ queries }: Basis, row: CertificateRow): Promise<Radius> {
  const [account] = await findAccounts(queries, row.account === null ? [] : [row.account]);
  if (!account) return nothing;
  const how = row.form === 'ssh-key' ? 'this SSH key' : 'this certificate';
  return {
    stops: [`${account.name} logs in no more by ${how}`],
    servers: [],
    zones: account.zones,
    accounts: { count: 1, names: [account.name] },
  };
}

async function ofCa(basis: Basis, row: CertificateRow): Promise<Radius> {
  if (row.usage === 'ssh-ca')
    return { ...nothing, stops: ['SSH certificates that this CA signed log in no more'] };
  const accounts = await accountsBelowCa(basis.queries, row.subjectHash, basis.reach, mostNames);
  const locals =
    row.kind === 'internal-ca'
      ? await ofServers(basis, new Set(await localsBelowCa(basis.queries, row.subjectHash)), [])
      : nothing;
  const widest = locals.accounts.count > accounts.count ? locals.accounts : accounts;
  return {
    stops: [
      ...(accounts.count > 0 ? [`logins by certificates of ${row.subject} end`] : []),
      ...locals.stops,
      ...(row.caState === 'active' ? ['nothing more can be signed'] : []),
    ],
    servers: locals.servers,
    zones: locals.zones,
    accounts: widest,
  };
}
