import { eq } from 'drizzle-orm';
import { emptyHash } from './audit.ts';
import type { Queries } from './database.ts';
import { schemaNumber } from './store.ts';
import { auditHead, installation } from './tables/index.ts';

export type Installation = typeof installation.$inferSelect;

export const findInstallation = (queries: Queries): Promise<Installation | undefined> =>
  queries.select().from(installation).where(eq(installation.id, 1)).get();

/** Writes the two single rows that everything counts on. Only `init` calls it. */
export async function insertInstallation(
  queries: Queries,
  facts: Pick<Installation, 'createdAt' | 'wrappingIssuer' | 'wrappingIssuerKey'>,
): Promise<void> {
  await queries.insert(installation).values({ id: 1, schema: schemaNumber, changeSequence: 0, ...facts });
  await queries.insert(auditHead).values({ id: 1, sequence: 0, hash: emptyHash });
}
