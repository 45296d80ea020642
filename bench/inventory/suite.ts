import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { initInstallation } from '@sallyport/cli/init';
import { type Client, createClient } from '@sallyport/client';
import { startControlPlane } from '@sallyport/control-plane/node';
import type { BenchOptions } from '../options.ts';
import { type Row, rowsOf } from '../rows.ts';
import { percentile } from '../statistics.ts';
import { verifyChains } from './chains.ts';
import { fillInventory, inventorySize } from './fill.ts';
import { newKeyLines } from './keys.ts';

/** Pages that a row asks for in each round. */
const pages = 100;

type Page = { readonly name: string; readonly query: (at: number) => string; readonly token?: 'one-zone' };

/** Every filter, where it finds much, little and nothing: what finds nothing looks at every certificate there is. */
const listed: readonly Page[] = [
  { name: 'page: any', query: (at) => `cursor=crt_${at.toString(16).padStart(2, '0')}` },
  { name: 'page: status=valid', query: () => 'status=valid' },
  { name: 'page: status=revoked (1 in 1,000)', query: () => 'status=revoked' },
  { name: 'page: status=untrusted (1 in 500)', query: () => 'status=untrusted' },
  { name: 'page: status=not-yet-valid (none)', query: () => 'status=not-yet-valid' },
  { name: 'page: expiresWithin=30d', query: () => 'expiresWithin=30d' },
  { name: 'page: subject (one)', query: (at) => `subject=bench%20${at}7%20` },
  { name: 'page: subject (none)', query: () => 'subject=nobody' },
  { name: 'page: kind and keyType and status', query: () => 'kind=local&keyType=rsa&status=expired' },
  { name: 'page: a token of one zone (none)', query: () => 'kind=local', token: 'one-zone' },
];

async function timesOf(count: number, work: (at: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const started = performance.now();
    await work(at);
    times.push(performance.now() - started);
  }
  return times;
}

/** Certificates by the hundred thousand in an embedded control plane, asked over HTTP as an operator asks. */
export async function runInventorySuite(
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Row[]> {
  const folder = await mkdtemp(join(options.folder, 'sallyport-bench-'));
  try {
    const databaseUrl = `file:${join(folder, 'control-plane.db')}`;
    const installation = await initInstallation({ databaseUrl, rootFolder: folder });
    const environment = { SALLYPORT_DATABASE_URL: databaseUrl, ...installation.secrets };
    const log = (...line: unknown[]): void => progress(line.join(' '));
    const running = await startControlPlane(environment, { host: '127.0.0.1', port: 0 }, log);
    try {
      const client = createClient({ url: running.url, token: installation.apiToken });
      return await measure(options, progress, databaseUrl, running.url, client);
    } finally {
      await running.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  options: BenchOptions,
  progress: (line: string) => void,
  databaseUrl: string,
  url: string,
  client: Client,
): Promise<Row[]> {
  const wanted = (name: string): boolean =>
    options.rows.length === 0 || options.rows.some((row) => name.startsWith(row));
  const zone = await client.zones.create({ name: 'bench', kind: 'internal' });
  const other = await client.zones.create({ name: 'other', kind: 'internal' });
  const sans = [{ type: 'dns' as const, value: 'bench.example' }];
  await client.certificates.create({
    source: 'generate',
    kind: 'local',
    alias: 'template',
    zones: [zone.id],
    sans,
  });
  const { secret } = await client.tokens.create({
    label: 'one zone',
    scopes: ['certificates:read'],
    zones: [other.id],
  });
  progress(`filling in ${inventorySize} certificates`);
  await fillInventory(databaseUrl);
  const oneZone = createClient({ url, token: secret });
  const rows: Row[] = [];
  for (const { name, query, token } of listed.filter((page) => wanted(page.name))) {
    const asking = token === 'one-zone' ? oneZone : client;
    const page = (at: number): Promise<unknown> =>
      asking.request({ method: 'GET', path: `/v1/certificates?${query(at)}` });
    await timesOf(5, page);
    const values: number[] = [];
    for (let round = 0; round < options.rounds; round++)
      values.push(percentile(await timesOf(pages, page), 95));
    rows.push(
      ...rowsOf(
        { name, unit: 'ms p95', goal: { of: 'value', atMost: 50 } },
        { server: 'sallyport', values },
        [],
      ),
    );
    progress(name);
  }
  if (wanted('bulk import')) rows.push(...(await bulkRow(options, client, zone.id)));
  if (wanted('chain')) rows.push(...(await chainRow(options)));
  return rows;
}

async function bulkRow({ rounds }: BenchOptions, client: Client, zone: string): Promise<Row[]> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const name = `bulk-${randomBytes(4).toString('hex')}`;
    const account = await client.accounts.create({ name, zones: [zone] });
    const text = await newKeyLines(1_000);
    const body = { authorizedKeys: { account: account.id, aliasPrefix: name, text } };
    const [time = 0] = await timesOf(1, () =>
      client.request({ method: 'POST', path: '/v1/certificates/bulk', body }),
    );
    values.push(time / 1_000);
  }
  const measured = {
    name: 'bulk import of 1,000 SSH keys',
    unit: 's',
    goal: { of: 'value', atMost: 5 },
  } as const;
  return rowsOf(measured, { server: 'sallyport', values }, []);
}

async function chainRow({ rounds }: BenchOptions): Promise<Row[]> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) values.push(percentile(await verifyChains(200), 95));
  const measured = {
    name: 'chain of a leaf under 2 intermediates',
    unit: 'ms p95',
    goal: { of: 'value', atMost: 5 },
  } as const;
  return rowsOf(measured, { server: 'sallyport', values }, []);
}
