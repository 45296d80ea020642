import type { CertificateKind, CertificateStatus, KeyType } from '@sallyport/model';
import { and, asc, eq, gt, inArray, or, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { accountsInReach } from './accounts.ts';
import type { CertificateRow } from './certificates.ts';
import type { Queries } from './database.ts';
import { type Page, someZoneInReach } from './page.ts';
import { certificateEnd, certificates } from './tables/index.ts';

/** CAs that are trusted now, as certificates below them name them: by name, and by the key they were signed with. */
export type Anchors = readonly {
  readonly subjectHash: string;
  readonly subjectKeyId: string | null;
}[];

/** Which certificates a list holds; a filter left out is not applied. */
export type CertificateFilter = {
  readonly kind?: CertificateKind | undefined;
  readonly account?: string | undefined;
  readonly alias?: string | undefined;
  /** Part of the subject, in any case of ASCII letters. */
  readonly subject?: string | undefined;
  /** SHA-256 of the certificate in lower-case hexadecimal, or `SHA256:…` of the key. */
  readonly fingerprint?: string | undefined;
  readonly keyType?: KeyType | undefined;
  /** End of use between two moments, RFC 3339 with milliseconds; the first is left out where it does not matter. */
  readonly ends?: { readonly from?: string; readonly to: string } | undefined;
  readonly status?: CertificateStatus | undefined;
};

/** What the status of a row depends on besides the row. */
export type StatusCircumstances = {
  /** RFC 3339 with milliseconds. */
  readonly now: string;
  readonly anchors: Anchors;
};

/**
 * A page of certificates. Its cost does not depend on how many there are: the ids come from an index that holds all
 * that is filtered by, whole rows are read for the page alone.
 *
 * Trust is everybody's business: CAs are in every reader's reach.
 */
export async function listCertificates(
  queries: Queries,
  page: Page,
  filter: CertificateFilter,
  circumstances: StatusCircumstances,
): Promise<CertificateRow[]> {
  const ids = await queries
    .select({ id: certificates.id })
    .from(certificates)
    .where(
      and(
        gt(certificates.id, page.after),
        inReach(queries, page),
        ...conditionsOf(filter, page),
        ...statusConditions(filter.status, circumstances),
      ),
    )
    .orderBy(asc(certificates.id))
    .limit(page.limit)
    .all();
  return queries
    .select()
    .from(certificates)
    .where(
      inArray(
        certificates.id,
        ids.map(({ id }) => id),
      ),
    )
    .orderBy(asc(certificates.id))
    .all();
}

/**
 * Keeps a condition off the indexes of its column: there it would find half of all certificates and have to sort them.
 * The index of the list holds them in the order of pages (sqlite.org/optoverview.html, section 5).
 */
const unindexed = (value: SQL | SQLWrapper): SQL => sql`+(${value})`;

/** Is it the only filter? Then an index of its own has the page in order. */
const isAlone = (filter: CertificateFilter, name: keyof CertificateFilter): boolean =>
  Object.entries(filter).every(([other, value]) => other === name || value === undefined);

function conditionsOf(filter: CertificateFilter, { reach }: Page): (SQL | undefined)[] {
  const { kind, account, alias, keyType, subject, fingerprint, ends } = filter;
  return [
    kind &&
      sql`${reach === '*' && isAlone(filter, 'kind') ? certificates.kind : unindexed(certificates.kind)} = ${kind}`,
    account === undefined ? undefined : eq(certificates.account, account),
    alias === undefined ? undefined : eq(certificates.alias, alias),
    keyType && sql`${unindexed(certificates.keyType)} = ${keyType}`,
    subject === undefined
      ? undefined
      : sql`${certificates.subject} LIKE ${`%${subject.replace(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`,
    fingerprint === undefined
      ? undefined
      : eq(
          fingerprint.startsWith('SHA256:') ? certificates.sshFingerprint : certificates.sha256,
          fingerprint,
        ),
    ends?.from === undefined ? undefined : sql`${unindexed(certificateEnd)} >= ${ends.from}`,
    ends && sql`${unindexed(certificateEnd)} <= ${ends.to}`,
  ];
}

const isAuthority = inArray(certificates.kind, ['trusted', 'internal-ca']);

/** The status of a row as `statusOf` computes it, taken apart into what an index answers. */
function statusConditions(
  status: CertificateStatus | undefined,
  { now, anchors }: StatusCircumstances,
): (SQL | undefined)[] {
  if (status === undefined) return [];
  if (status === 'revoked') return [sql`${certificates.revokedAt} IS NOT NULL`];
  const notRevoked = sql`${certificates.revokedAt} IS NULL`;
  const isX509 = eq(certificates.form, 'x509');
  const notYet = and(isX509, gt(certificates.notBefore, now));
  if (status === 'not-yet-valid') return [notRevoked, notYet];
  const begun = sql`NOT (${notYet})`;
  if (status === 'expired') return [notRevoked, begun, sql`${unindexed(certificateEnd)} <= ${now}`];
  const inTime = sql`(${certificateEnd} IS NULL OR ${unindexed(certificateEnd)} > ${now})`;
  const stands = or(
    eq(certificates.form, 'ssh-key'),
    isAuthority,
    sql`${certificates.anchor} IS 'pinned'`,
    anchored(anchors),
  );
  return [notRevoked, begun, inTime, status === 'valid' ? stands : sql`NOT (${stands})`];
}

/** Does the chain of a row end below one of the anchors? Key ids count where both sides have one. */
function anchored(anchors: Anchors): SQL {
  const list = (values: readonly string[]): SQL =>
    sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`;
  const names = anchors.map(({ subjectHash }) => subjectHash);
  const keyless = anchors.filter(({ subjectKeyId }) => subjectKeyId === null);
  const pairs = anchors.flatMap(({ subjectHash, subjectKeyId }) =>
    subjectKeyId === null ? [] : [[subjectHash, subjectKeyId]],
  );
  const { topIssuer, topKeyId } = certificates;
  return sql`CASE WHEN ${topKeyId} IS NULL THEN ${topIssuer} IN ${list(names)}
    ELSE (${topIssuer}, ${topKeyId}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(pairs)}))
      OR ${topIssuer} IN ${list(keyless.map(({ subjectHash }) => subjectHash))} END`;
}

function inReach(queries: Queries, { reach }: Page): SQL | undefined {
  if (reach === '*') return undefined;
  const known = accountsInReach(queries, reach);
  return or(isAuthority, isLocalIn(reach), inArray(certificates.account, known));
}

/** Zones that are looked for in the text of a row's list: ids stand in it in quotes and have none in themselves. */
const mostSought = 8;

const isLocalIn = (zones: readonly string[]): SQL | undefined =>
  zones.length > mostSought
    ? someZoneInReach(certificates.zones, zones)
    : or(sql`0`, ...zones.map((zone) => sql`instr(${certificates.zones}, ${`"${zone}"`}) > 0`));

/**
 * Certificates that are not revoked and end until a moment, the first to end first.
 *
 * @param until RFC 3339 with milliseconds
 */
export const certificatesEnding = (
  queries: Queries,
  page: Pick<Page, 'reach' | 'limit'>,
  until: string,
): Promise<CertificateRow[]> =>
  queries
    .select()
    .from(certificates)
    .where(
      and(
        sql`${certificateEnd} <= ${until}`,
        sql`${certificates.revokedAt} IS NULL`,
        inReach(queries, { ...page, after: '' }),
      ),
    )
    .orderBy(sql`${certificateEnd}`)
    .limit(page.limit)
    .all();
