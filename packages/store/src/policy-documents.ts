import { FaultError } from '@sallyport/faults';
import type { LoginSettings, SslEntry, UserClass } from '@sallyport/model';
import { and, eq } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { policyDocuments } from './tables/index.ts';

/** The type of each global policy document. */
export type PolicyBodies = {
  'login-settings': LoginSettings;
  'user-classes': UserClass[];
  'ssl-entries': SslEntry[];
};

/** A document and its version. Throws FaultError where `init` has not run. */
export async function readPolicyDocument<N extends keyof PolicyBodies>(
  queries: Queries,
  name: N,
): Promise<{ body: PolicyBodies[N]; version: number }> {
  const row = await queries.select().from(policyDocuments).where(eq(policyDocuments.name, name)).get();
  if (!row) throw new FaultError({ code: 'schema-mismatch', detail: `policy document ${name} is missing` });
  return { body: row.body as PolicyBodies[N], version: row.version };
}

export async function insertPolicyDocument<N extends keyof PolicyBodies>(
  queries: Queries,
  name: N,
  body: PolicyBodies[N],
): Promise<void> {
  await queries.insert(policyDocuments).values({ name, body, version: 1 });
}

/** @returns whether the document still had that version */
export async function updatePolicyDocument<N extends keyof PolicyBodies>(
  queries: Queries,
  name: N,
  body: PolicyBodies[N],
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .update(policyDocuments)
    .set({ body, version: expectedVersion + 1 })
    .where(and(eq(policyDocuments.name, name), eq(policyDocuments.version, expectedVersion)));
  return result.rowsAffected === 1;
}
