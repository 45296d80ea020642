import { FaultError, ok } from '@sallyport/faults';
import {
  type CertificateCreate,
  certificate,
  certificateCreate,
  certificateFilters,
  certificatePatch,
} from '@sallyport/model';
import {
  type CertificateRow,
  type Change,
  certificatesWithKey,
  certificateVersionsOf,
  deleteCertificate,
  findAccount,
  findCertificate,
  findServerNamed,
  forgetCrlFetch,
  insertCertificate,
  insertRevocation,
  listCertificates,
  loginsIssuedBy,
  type Queries,
  requestsReplacing,
  serversByCertificate,
  updateCertificate,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, reaches, reachOf, requireZones } from '../caller.ts';
import { admit } from '../domain/admit-certificate.ts';
import { certificateView, readSurroundings, statusCircumstances } from '../domain/certificate-view.ts';
import { fileAnswer } from '../domain/key-file.ts';
import { listEntryOf } from '../domain/list-entry.ts';
import { makeCertificate } from '../domain/make-certificate.ts';
import { patchedCertificate } from '../domain/patch-certificate.ts';
import { revocationZones } from '../domain/revoke.ts';
import { operation } from '../operation.ts';
import {
  asked,
  changeAnswer,
  changed,
  commit,
  commitResource,
  found,
  idParams,
  page,
  pageOf,
  pageQuery,
  requireVersion,
  requireWritten,
} from './answers.ts';

const changedCertificate = certificate.extend(changed);
const createdCertificate = changedCertificate.extend({
  /** The private key for its holder: answered this once. */
  handedOut: fileAnswer.optional(),
  /** What is allowed, but worth to know. */
  warnings: z.array(z.string()),
});

/** Zones that a certificate concerns: its own, its account's, or all where it is trust. */
export async function zonesOf(
  queries: Queries,
  row: Pick<CertificateRow, 'kind' | 'zones' | 'account'>,
): Promise<string[] | 'all'> {
  if (row.kind === 'trusted' || row.kind === 'internal-ca') return 'all';
  if (row.account !== null) return (await findAccount(queries, row.account))?.zones ?? [];
  return row.zones;
}

/** What a request will concern: known before anything of it is looked up or made. */
const concernOf = (body: CertificateCreate): Parameters<typeof zonesOf>[1] => ({
  kind: body.kind,
  zones: 'zones' in body ? body.zones : [],
  account: 'account' in body ? body.account : null,
});

/** The row of a certificate that the caller may change. */
export async function requireCertificate(
  queries: Queries,
  caller: Caller,
  certificateId: string,
): Promise<CertificateRow> {
  const row = found(await findCertificate(queries, certificateId), 'certificate');
  requireZones(caller, await zonesOf(queries, row));
  return row;
}

/**
 * A revocation holds for the key, wherever it is registered. A public key is no secret: without this anybody could
 * register another zone's key, or that of a CA, as one of his own and revoke it there.
 */
async function requireKey(queries: Queries, caller: Caller, row: CertificateRow): Promise<void> {
  for (const other of await certificatesWithKey(queries, row.spkiSha256)) {
    const zones = await zonesOf(queries, other);
    const reached = zones === 'all' ? reachOf(caller) === '*' : zones.every((zone) => reaches(caller, zone));
    if (reached) continue;
    const detail = 'the key is in use where this token does not reach: delete the certificate instead';
    throw new FaultError({ code: 'forbidden', detail });
  }
}

/** An internal CA goes by a way of its own, which says first what would stop and has it confirmed. */
export function refuseInternalCa({ kind, id }: CertificateRow): void {
  if (kind !== 'internal-ca') return;
  const detail = `this is an internal CA: revoke or delete it under /v1/certificate-authorities/${id}`;
  throw new FaultError({ code: 'certificate-purpose', detail });
}

const mostObstacles = 50;

/**
 * What would break or be lost if the certificate were gone: servers that present it, TLS logins that are trusted
 * through it, requests that are to replace it, and earlier versions with their keys. A login certificate is used by
 * its account alone, and deleting it is how that ends; SSH logins need no CA.
 */
async function obstaclesTo(queries: Queries, row: CertificateRow): Promise<string[]> {
  const servers = (await serversByCertificate(queries)).get(row.id) ?? [];
  const isTrust = row.kind === 'trusted' || row.kind === 'internal-ca';
  const logins = isTrust ? await loginsIssuedBy(queries, row.subject, mostObstacles) : [];
  const requests = await requestsReplacing(queries, row.id);
  const versions = await certificateVersionsOf(queries, row.id);
  return [
    ...servers.map((name) => `server:${name}`),
    ...logins.map((login) => `certificate:${login.alias}`),
    ...requests.map((request) => `request:${request.alias}`),
    ...versions.map(({ number }) => `version:${number}`),
  ].slice(0, mostObstacles);
}

/** Has the zones published that a certificate concerns. */
export async function touchZonesOf(change: Change, row: CertificateRow): Promise<void> {
  change.touch(await zonesOf(change.queries, row));
}

/** One spelling of each fingerprint. */
const normalFingerprint = (given: string | undefined): string | undefined =>
  given === undefined || given.startsWith('SHA256:') ? given : given.replaceAll(':', '').toLowerCase();

/** A server keeps its certificates: their zones cannot leave it. */
async function requireServersZones(queries: Queries, next: CertificateRow): Promise<void> {
  if (next.kind !== 'local') return;
  const stranded = (await serversByCertificate(queries)).get(next.id) ?? [];
  const servers = await Promise.all(stranded.map((name) => findServerNamed(queries, name)));
  const left = servers.flatMap((server) =>
    server && !next.zones.includes(server.zone) ? [server.name] : [],
  );
  if (left.length === 0) return;
  const detail = `in use by ${left.join(', ')}`;
  throw new FaultError({
    code: 'in-use',
    detail,
    usedBy: left.map((name) => `server:${name}`),
    fields: [{ pointer: '/zones', detail }],
  });
}

/** The audit row of a certificate that is new here. */
export function auditCreation(
  change: Change,
  row: CertificateRow,
  source: string,
  warnings: readonly string[],
): void {
  change.audit('certificate.create', `certificate:${row.id}`, {
    source,
    alias: row.alias,
    kind: row.kind,
    sha256: row.sha256,
    sshFingerprint: row.key.sshFingerprint,
    ...(row.account === null ? {} : { account: row.account }),
    ...(row.sharedKeyWaiver === null ? {} : { sharedKeyWaiver: row.sharedKeyWaiver }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  });
}

export const certificateOperations = [
  operation({
    route: 'GET /v1/certificates',
    summary: 'List certificates',
    query: z.strictObject({ ...pageQuery, ...certificateFilters }),
    answers: pageOf(certificate),
    async run(deps, { query, caller }) {
      const { limit, cursor: _cursor, expiresWithin, fingerprint, ...filter } = query;
      const now = deps.now();
      const around = await readSurroundings(deps.store.queries, now);
      const ends =
        expiresWithin === undefined
          ? undefined
          : { from: new Date(now).toISOString(), to: new Date(now + expiresWithin).toISOString() };
      const rows = await listCertificates(
        deps.store.queries,
        asked(query, caller),
        { ...filter, ends, fingerprint: normalFingerprint(fingerprint) },
        statusCircumstances(around),
      );
      const list = page(rows, limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map((row) => certificateView(row, around)) } });
    },
  }),
  operation({
    route: 'POST /v1/certificates',
    summary: 'Make or import a certificate',
    body: certificateCreate,
    answers: createdCertificate,
    status: 201,
    maxBodyBytes: 1_572_864,
    async run(deps, { body, caller }) {
      requireZones(caller, await zonesOf(deps.store.queries, concernOf(body)));
      // Keys, signatures and key derivations take their time: they must not hold the write lock.
      const made = await makeCertificate(deps, deps.store.queries, body);
      const committed = await commit(deps, caller, async (change) => {
        const { row } = made;
        const [warnings = []] = await admit(change, caller, [made]);
        await insertCertificate(change.queries, row);
        auditCreation(change, row, body.source, warnings);
        await touchZonesOf(change, row);
        const view = certificateView(row, await readSurroundings(change.queries, deps.now()));
        return { view, warnings };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      const { view, warnings } = value;
      const once = made.handedOut ? { handedOut: made.handedOut } : {};
      return ok({ body: { ...view, changeSequence, ...once, warnings }, version: view.version });
    },
  }),
  operation({
    route: 'GET /v1/certificates/{id}',
    summary: 'Show a certificate',
    params: idParams,
    answers: certificate,
    async run(deps, { params, caller }) {
      const row = found(await findCertificate(deps.store.queries, params.id), 'certificate');
      const zones = await zonesOf(deps.store.queries, row);
      if (zones !== 'all') requireZones(caller, zones);
      const view = certificateView(row, await readSurroundings(deps.store.queries, deps.now()));
      return ok({ body: view, version: view.version });
    },
  }),
  operation({
    route: 'PATCH /v1/certificates/{id}',
    summary: 'Change what is said of a certificate; servers and logins follow at once',
    params: idParams,
    body: certificatePatch,
    answers: changedCertificate.extend({ warnings: z.array(z.string()) }),
    precondition: 'if-match',
    run(deps, { params, body, caller, expectedVersion }) {
      return commitResource(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        requireVersion(row, expectedVersion);
        const next = patchedCertificate(row, body);
        await requireServersZones(change.queries, next);
        const pointer = body.match === undefined ? '/zones' : '/match';
        const [warnings = []] = await admit(change, caller, [{ row: next, pointer, replaces: row.id }]);
        requireWritten(await updateCertificate(change.queries, next, expectedVersion));
        // Another place to fetch from is asked at once.
        if (next.crlUrl !== row.crlUrl) await forgetCrlFetch(change.queries, row.id);
        change.audit('certificate.change', `certificate:${row.id}`, {
          alias: next.alias,
          fields: Object.keys(body),
          ...(body.sharedKeyWaiver ? { sharedKeyWaiver: body.sharedKeyWaiver } : {}),
        });
        await touchZonesOf(change, row);
        await touchZonesOf(change, next);
        const view = certificateView(next, await readSurroundings(change.queries, deps.now()));
        return { ...view, warnings };
      });
    },
  }),
  operation({
    route: 'POST /v1/certificates/{id}/revoke',
    summary: 'Revoke a certificate and its key: live sessions that rest on it end',
    params: idParams,
    answers: changedCertificate,
    precondition: 'if-match',
    run(deps, { params, caller, expectedVersion }) {
      return commitResource(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        refuseInternalCa(row);
        await requireKey(change.queries, caller, row);
        requireVersion(row, expectedVersion);
        const next = { ...row, revokedAt: row.revokedAt ?? change.at, version: row.version + 1 };
        requireWritten(await updateCertificate(change.queries, next, expectedVersion));
        await insertRevocation(change.queries, {
          sha256: row.sha256,
          spkiSha256: row.spkiSha256,
          at: next.revokedAt,
          ...(await listEntryOf(change.queries, row)),
          reason: null,
          zones: revocationZones(caller),
        });
        change.audit('certificate.revoke', `certificate:${row.id}`, { alias: row.alias, sha256: row.sha256 });
        // Every zone of them refuses a revoked key, so every one is told.
        change.touch(revocationZones(caller) ?? 'all');
        return certificateView(next, await readSurroundings(change.queries, deps.now()));
      });
    },
  }),
  operation({
    route: 'DELETE /v1/certificates/{id}',
    summary: 'Delete a certificate that nothing uses',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        refuseInternalCa(row);
        requireVersion(row, expectedVersion);
        const usedBy = await obstaclesTo(change.queries, row);
        if (usedBy.length > 0) throw new FaultError({ code: 'in-use', detail: usedBy.join(', '), usedBy });
        requireWritten(await deleteCertificate(change.queries, params.id, expectedVersion));
        change.audit('certificate.delete', `certificate:${row.id}`, { alias: row.alias, sha256: row.sha256 });
        await touchZonesOf(change, row);
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
