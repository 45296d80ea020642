import { type AlgorithmPolicy, algorithmPolicy } from '@sallyport/model';
import { and, asc, eq } from 'drizzle-orm';
import type { Queries } from './database.ts';
import { algorithmPolicies } from './tables/index.ts';

const rowOf = (policy: AlgorithmPolicy) => ({
  id: policy.id,
  name: policy.name,
  definition: policy,
  version: policy.version,
});

/** The custom policies, in the order of their ids. */
export async function customAlgorithmPolicies(queries: Queries): Promise<AlgorithmPolicy[]> {
  const rows = await queries.select().from(algorithmPolicies).orderBy(asc(algorithmPolicies.id)).all();
  // Lists that came later than the row have their default.
  return rows.map((row) => algorithmPolicy.parse(row.definition));
}

export async function insertAlgorithmPolicy(queries: Queries, policy: AlgorithmPolicy): Promise<void> {
  await queries.insert(algorithmPolicies).values(rowOf(policy));
}

/** @returns whether the row still had that version */
export async function updateAlgorithmPolicy(
  queries: Queries,
  policy: AlgorithmPolicy,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .update(algorithmPolicies)
    .set(rowOf(policy))
    .where(and(eq(algorithmPolicies.id, policy.id), eq(algorithmPolicies.version, expectedVersion)));
  return result.rowsAffected === 1;
}

/** @returns whether the row still had that version */
export async function deleteAlgorithmPolicy(
  queries: Queries,
  id: string,
  expectedVersion: number,
): Promise<boolean> {
  const result = await queries
    .delete(algorithmPolicies)
    .where(and(eq(algorithmPolicies.id, id), eq(algorithmPolicies.version, expectedVersion)));
  return result.rowsAffected === 1;
}
