import { FaultError } from '@sallyport/faults';
import {
  type AccountRow,
  type CertificateRow,
  type Change,
  certificatesWithAliases,
  certificatesWithKeys,
  certificatesWithSubjects,
  findAccounts,
  findCertificate,
  findZone,
  findZones,
  type Queries,
  type RevocationRow,
  revokedKeys,
} from '@sallyport/store';
import { type Caller, reaches, requireZones } from '../caller.ts';

/** A row that is to be written, with the fields of the request that a refusal points to. */
export type Admission = {
  readonly row: CertificateRow;
  /** Where the key or certificate came in. */
  readonly pointer: string;
  /** What stands before `/alias`, `/account` and `/zones`. */
  readonly prefix?: string;
  /** Line of the field that it came in, where the field holds several. */
  readonly line?: number | undefined;
  /** The internal CA that has just signed it. */
  readonly issuedBy?: string | undefined;
  /** Where it takes the place of a row: that row's id. */
  readonly replaces?: string;
};

/** What the database says of several rows that are to be written, read at once. */
type Surroundings = {
  readonly aliases: readonly Pick<CertificateRow, 'id' | 'kind' | 'account' | 'alias'>[];
  readonly sameKey: ReadonlyMap<string, readonly CertificateRow[]>;
  readonly sameSubject: ReadonlyMap<string, readonly CertificateRow[]>;
  readonly revoked: ReadonlyMap<string, readonly RevocationRow[]>;
  readonly accounts: ReadonlyMap<string, AccountRow>;
};

const refused = (
  code:
    | 'already-registered'
    | 'alias-in-use'
    | 'certificate-purpose'
    | 'invalid-request'
    | 'key-revoked'
    | 'key-unsupported'
    | 'policy-refused',
  pointer: string,
  detail: string,
): FaultError => new FaultError({ code, detail, fields: [{ pointer, detail }] });

/** Does its name log it in, in whatever certificate of its issuer? */
const isNamed = ({ kind, match }: Pick<CertificateRow, 'kind' | 'match'>): boolean =>
  kind === 'login' && match === 'issuer+subject';

const grouped = <T>(rows: readonly T[], keyOf: (row: T) => string): ReadonlyMap<string, readonly T[]> =>
  Map.groupBy(rows, keyOf);

/**
 * Judges rows under the write lock, by what the database says at that moment: that their zones and accounts are there
 * and in the caller's reach, and every rule of uniqueness and use (reference R1-R5, W15).
 *
 * @returns one list of warnings for each row
 * @throws FaultError with the field that is wrong; for several rows with one field for each that is refused
 */
export async function admit(
  change: Change,
  caller: Caller,
  admissions: readonly Admission[],
): Promise<string[][]> {
  const around = await readSurroundings(change.queries, admissions);
  const warnings: string[][] = [];
  const faults: FaultError[] = [];
  for (const [index, admission] of admissions.entries()) {
    try {
      warnings.push(await admitOne(change, caller, admission, admissions.slice(0, index), around));
    } catch (error) {
      if (!(error instanceof FaultError) || admissions.length === 1) throw error;
      faults.push(atLine(error, admission.line));
    }
  }
  const [first] = faults;
  if (!first) return warnings;
  const fields = faults.flatMap(({ fault }) => fault.fields ?? []).slice(0, 1_000);
  throw new FaultError({ ...first.fault, fields });
}

/** The fault with the line in its details. */
export function atLine(error: FaultError, line: number | undefined): FaultError {
  if (line === undefined) return error;
  const fields = (error.fault.fields ?? []).map(({ pointer, detail }) => ({
    pointer,
    detail: `line ${line}: ${detail}`,
  }));
  return new FaultError({ ...error.fault, fields });
}

async function readSurroundings(queries: Queries, admissions: readonly Admission[]): Promise<Surroundings> {
  const rows = admissions.map(({ row }) => row);
  const sameKey = await certificatesWithKeys(
    queries,
    rows.map(({ spkiSha256 }) => spkiSha256),
  );
  const named = admissions.filter(({ row, issuedBy }) => issuedBy !== undefined || isNamed(row));
  const sameSubject = await certificatesWithSubjects(
    queries,
    named.map(({ row }) => row.subjectHash),
  );
  const accounts = await findAccounts(
    queries,
    [...rows, ...sameKey, ...sameSubject].flatMap(({ account }) => account ?? []),
  );
  const keys = await revokedKeys(
    queries,
    rows.map(({ spkiSha256 }) => spkiSha256),
  );
  return {
    aliases: await certificatesWithAliases(
      queries,
      rows.map(({ alias }) => alias),
    ),
    sameKey: grouped(sameKey, ({ spkiSha256 }) => spkiSha256),
    sameSubject: grouped(sameSubject, ({ subjectHash }) => subjectHash),
    revoked: grouped(keys, ({ spkiSha256 }) => spkiSha256),
    accounts: new Map(accounts.map((account) => [account.id, account])),
  };
}

/** Aliases of what an account stores are the account's own; all others are unique in their kind. */
const sharesAliasSpace = (
  a: Pick<CertificateRow, 'kind' | 'account'>,
  b: Pick<CertificateRow, 'kind' | 'account'>,
): boolean =>
  a.kind === b.kind && ((a.kind !== 'partner' && a.kind !== 'private') || a.account === b.account);

async function admitOne(
  { queries }: Change,
  caller: Caller,
  { row, pointer, prefix = '', issuedBy, replaces }: Admission,
  before: readonly Admission[],
  around: Surroundings,
): Promise<string[]> {
  const zones = await concernedZones(queries, row, prefix, around);
  requireZones(caller, zones);
  const taken = [...around.aliases, ...before.map((one) => one.row)].some(
    (other) => other.alias === row.alias && other.id !== replaces && sharesAliasSpace(other, row),
  );
  if (taken)
    throw refused(
      'alias-in-use',
      `${prefix}/alias`,
      `there is a ${row.kind} certificate ${row.alias} already`,
    );
  // A key that was revoked in one of its zones never comes back there, in whatever certificate (reference R5).
  const revoked = (around.revoked.get(row.spkiSha256) ?? []).find(
    (one) => one.zones === null || (zones !== 'all' && zones.some((zone) => one.zones?.includes(zone))),
  );
  if (revoked) throw refused('key-revoked', pointer, `this key was revoked on ${revoked.at}`);
  await requireBits(queries, row, zones, pointer);
  if (issuedBy !== undefined) await requireIssuer(queries, issuedBy);
  requireOwnName(row, issuedBy !== undefined, around.sameSubject.get(row.subjectHash) ?? [], {
    pointer,
    prefix,
    replaces,
  });
  const sameKey = [
    ...(around.sameKey.get(row.spkiSha256) ?? []),
    ...before.map((one) => one.row).filter((other) => other.spkiSha256 === row.spkiSha256),
  ].filter(({ id }) => id !== replaces);
  await requireOneSide(queries, row, sameKey, pointer);
  switch (row.kind) {
    case 'local':
      return [];
    case 'trusted':
    case 'internal-ca':
      return admitCa(row, sameKey, pointer);
    case 'login':
      return admitLogin(caller, row, sameKey, pointer, around);
    case 'partner':
    case 'private': {
      const same = sameKey.find(
        (other) => other.kind === row.kind && other.account === row.account && other.sha256 === row.sha256,
      );
      if (same) throw refused('already-registered', pointer, `the account has it already as ${same.alias}`);
      return [];
    }
  }
}

async function concernedZones(
  queries: Queries,
  row: CertificateRow,
  prefix: string,
  around: Surroundings,
): Promise<string[] | 'all'> {
  if (row.kind === 'trusted' || row.kind === 'internal-ca') return 'all';
  if (row.account !== null) {
    const account = around.accounts.get(row.account);
    if (!account) throw refused('invalid-request', `${prefix}/account`, 'there is no such account');
    return account.zones;
  }
  for (const zone of row.zones) {
    if (!(await findZone(queries, zone)))
      throw refused('invalid-request', `${prefix}/zones`, `there is no zone ${zone}`);
  }
  return row.zones;
}

/** RSA below 2048 bits goes where every zone that it concerns takes it. */
async function requireBits(
  queries: Queries,
  row: CertificateRow,
  concerned: readonly string[] | 'all',
  pointer: string,
): Promise<void> {
  if (row.keyType !== 'rsa' || row.key.bits >= 2_048) return;
  const zones = await findZones(queries, concerned);
  const strict = zones.find(({ importRsaBits }) => row.key.bits < importRsaBits);
  if (!strict) return;
  const detail = `RSA of ${row.key.bits} bits; zone ${strict.name} takes at least ${strict.importRsaBits}`;
  throw refused('key-unsupported', pointer, detail);
}

/**
 * Where a name logs an account in, no other holder has a certificate of that name from the same issuer: each of them
 * would be that account. It holds for whoever comes second, the account or what our own CA is to sign. Servers'
 * certificates log nobody in.
 */
function requireOwnName(
  row: CertificateRow,
  signedHere: boolean,
  sameSubject: readonly CertificateRow[],
  { pointer, prefix, replaces }: { pointer: string; prefix: string; replaces: string | undefined },
): void {
  if (row.form !== 'x509' || row.kind === 'local') return;
  const clash = sameSubject.some(
    (other) =>
      other.issuer === row.issuer &&
      other.id !== replaces &&
      other.form === 'x509' &&
      other.kind !== 'local' &&
      (other.account === null || other.account !== row.account) &&
      (isNamed(row) || (signedHere && isNamed(other))),
  );
  if (!clash) return;
  throw refused(
    'already-registered',
    signedHere ? `${prefix}/subject` : pointer,
    'a certificate of that name and issuer is another holder’s, and the name logs in',
  );
}

async function requireIssuer(queries: Queries, id: string): Promise<void> {
  const ca = await findCertificate(queries, id);
  if (ca?.caState === 'active' && ca.revokedAt === null) return;
  throw new FaultError({
    code: 'precondition-failed',
    detail: 'another internal CA became active meanwhile: try again',
  });
}

/**
 * One private key does not stand on both sides of the firewall: whoever takes it from the edge would be the inside
 * too. An operator who needs it says why.
 */
async function requireOneSide(
  queries: Queries,
  row: CertificateRow,
  sameKey: readonly CertificateRow[],
  pointer: string,
): Promise<void> {
  if (row.kind !== 'local' || row.sharedKeyWaiver !== null) return;
  const holders = sameKey.filter(({ kind, privateKey }) => kind === 'local' && privateKey !== null);
  const ids = new Set([row, ...holders].flatMap(({ zones }) => zones));
  if (ids.size < 2) return;
  const zones = await findZones(queries, [...ids]);
  if (new Set(zones.map(({ kind }) => kind)).size < 2) return;
  const at = row.zones.length > 1 ? '/zones' : pointer;
  throw refused(
    'policy-refused',
    at,
    'one private key in an edge and in an internal zone: give sharedKeyWaiver with the reason',
  );
}

function admitCa(row: CertificateRow, sameKey: readonly CertificateRow[], pointer: string): string[] {
  const cas = sameKey.filter(({ kind }) => kind === 'trusted' || kind === 'internal-ca');
  const same = cas.find(
    ({ sha256, usage }) => sha256 === row.sha256 || (row.usage === 'ssh-ca' && usage === 'ssh-ca'),
  );
  if (same) throw refused('already-registered', pointer, `this CA is there already as ${same.alias}`);
  return [];
}

/**
 * An X.509 certificate logs in one account: which one would a client mean? An SSH client says whose login it is, so
 * its key may be on several, and whoever registers it is told.
 */
function admitLogin(
  caller: Caller,
  row: CertificateRow,
  sameKey: readonly CertificateRow[],
  pointer: string,
  around: Surroundings,
): string[] {
  const logins = sameKey.filter(({ kind }) => kind === 'login');
  const own = logins.find(({ account }) => account === row.account);
  if (own) throw refused('already-registered', pointer, `the account has this key as ${own.alias}`);
  const isVisible = (account: string): boolean =>
    (around.accounts.get(account)?.zones ?? []).some((zone) => reaches(caller, zone));
  if (row.form === 'x509') {
    const clash = logins.find(({ form }) => form === 'x509');
    if (clash?.account) {
      const whose = isVisible(clash.account)
        ? `account ${around.accounts.get(clash.account)?.name}`
        : 'another account';
      throw refused('already-registered', pointer, `this certificate or its key is registered on ${whose}`);
    }
  }
  const others = [...new Set(logins.flatMap(({ account }) => account ?? []))];
  if (others.length === 0) return [];
  const names = others.filter(isVisible).map((id) => around.accounts.get(id)?.name ?? id);
  const hidden = others.length - names.length;
  const whom = [...names, ...(hidden > 0 ? [`${hidden} that this token does not reach`] : [])];
  return [`the key is also on ${whom.join(', ')}`];
}
