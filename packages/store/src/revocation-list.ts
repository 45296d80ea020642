import { and, asc, count, eq, gt, inArray, isNull, or } from 'drizzle-orm';
import { accountsInReach } from './accounts.ts';
import { inPieces } from './chunks.ts';
import type { Queries } from './database.ts';
import { type Page, someZoneInReach } from './page.ts';
import type { RevocationRow } from './revocations.ts';
import { certificates, revocations } from './tables/index.ts';

/**
 * What was revoked, in the order of digests. Who does not reach all zones sees what concerns keys that are registered
 * in his own, and what was revoked for them.
 */
export function listRevocations(queries: Queries, { after, limit, reach }: Page): Promise<RevocationRow[]> {
  const own = () => {
    if (reach === '*') return undefined;
    const known = accountsInReach(queries, reach);
    const byAccount = queries
      .select({ key: certificates.spkiSha256 })
      .from(certificates)
      .where(inArray(certificates.account, known));
    const byZone = queries
      .select({ key: certificates.spkiSha256 })
      .from(certificates)
      .where(someZoneInReach(certificates.zones, reach));
    return or(
      inArray(revocations.spkiSha256, byAccount),
      inArray(revocations.spkiSha256, byZone),
      someZoneInReach(revocations.zones, reach),
    );
  };
  return queries
    .select()
    .from(revocations)
    .where(and(gt(revocations.sha256, after), own()))
    .orderBy(asc(revocations.sha256))
    .limit(limit)
    .all();
}

/**
 * What was revoked of the certificates of one issuer.
 *
 * @param issuerHash SHA-256 of its name in DER
 */
export const revocationsBy = (queries: Queries, issuerHash: string): Promise<RevocationRow[]> =>
  queries
    .select()
    .from(revocations)
    .where(eq(revocations.issuerHash, issuerHash))
    .orderBy(asc(revocations.sha256))
    .all();

export async function countRevokedBy(queries: Queries, issuerHash: string): Promise<number> {
  const row = await queries
    .select({ number: count() })
    .from(revocations)
    .where(eq(revocations.issuerHash, issuerHash))
    .get();
  return row?.number ?? 0;
}

/** What was revoked everywhere of these certificates or of their keys. */
export const revocationsOfCertificates = (
  queries: Queries,
  named: readonly { readonly sha256: string; readonly spkiSha256: string }[],
): Promise<RevocationRow[]> =>
  inPieces(
    named.flatMap(({ sha256, spkiSha256 }) => [sha256, spkiSha256]),
    (piece) =>
      queries
        .select()
        .from(revocations)
        .where(
          and(
            isNull(revocations.zones),
            or(inArray(revocations.sha256, piece), inArray(revocations.spkiSha256, piece)),
          ),
        )
        .all(),
  );
