import { eq, inArray } from 'drizzle-orm';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { secondFactors } from './tables/index.ts';

/** A second factor as it is stored, its secret under the key-encryption key. */
export type SecondFactorRow = typeof secondFactors.$inferSelect;

export const findSecondFactor = (queries: Queries, account: string): Promise<SecondFactorRow | undefined> =>
  queries.select().from(secondFactors).where(eq(secondFactors.account, account)).get();

export const secondFactorsOf = (queries: Queries, accounts: readonly string[]): Promise<SecondFactorRow[]> =>
  inPieces(accounts, (piece) =>
    queries.select().from(secondFactors).where(inArray(secondFactors.account, piece)).all(),
  );

export const allSecondFactors = (queries: Queries): Promise<SecondFactorRow[]> =>
  queries.select().from(secondFactors).all();

/** Writes an account's second factor, in place of the one it had. */
export async function saveSecondFactor(queries: Queries, row: SecondFactorRow): Promise<void> {
  const { account: _account, ...set } = row;
  await queries.insert(secondFactors).values(row).onConflictDoUpdate({ target: secondFactors.account, set });
}

/** @returns whether there was one */
export async function deleteSecondFactor(queries: Queries, account: string): Promise<boolean> {
  const result = await queries.delete(secondFactors).where(eq(secondFactors.account, account));
  return result.rowsAffected > 0;
}
