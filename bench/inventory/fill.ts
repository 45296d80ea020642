import { createClient } from '@libsql/client';

export const inventorySize = 100_000;

/** How the copies of the one certificate differ from it; other columns are as they are in it. */
const different: Readonly<Record<string, string>> = {
  id: "'crt_' || lower(hex(randomblob(15)))",
  alias: "'bench-' || n",
  subject: "'CN=bench ' || n || ' of many'",
  sha256: 'lower(hex(randomblob(32)))',
  spki_sha256: 'lower(hex(randomblob(32)))',
  ssh_fingerprint: "'SHA256:' || substr(hex(randomblob(32)), 1, 43)",
  key_type: "CASE n % 3 WHEN 0 THEN 'rsa' ELSE key_type END",
  // From a month ago to two years from now.
  not_after: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-30 days', (n % 760) || ' days')",
  revoked_at: "CASE n % 1000 WHEN 0 THEN '2026-01-01T00:00:00.000Z' END",
  top_issuer: 'CASE n % 500 WHEN 1 THEN lower(hex(randomblob(32))) ELSE top_issuer END',
};

/** Copies the certificate that there is as often as an inventory is large: nobody waits for as many keys. */
export async function fillInventory(url: string): Promise<void> {
  const client = createClient({ url, timeout: 60_000 });
  try {
    const { rows } = await client.execute("SELECT name FROM pragma_table_info('certificates')");
    const columns = rows.map(({ name }) => String(name));
    const values = columns.map((name) => different[name] ?? `"${name}"`);
    await client.execute(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${inventorySize})
       INSERT INTO certificates (${columns.map((name) => `"${name}"`).join()})
       SELECT ${values.join()} FROM certificates, numbers WHERE kind = 'local' AND alias = 'template'`,
    );
    // An inventory grows over years; here all of it would still stand in the log.
    await client.execute('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    client.close();
  }
}
