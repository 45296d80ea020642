import { FaultError, ok } from '@sallyport/faults';
import {
  alias,
  type CertificateCreate,
  certificate,
  certificateCreate,
  certificateKinds,
  id,
} from '@sallyport/model';
import {
  type CertificateRow,
  type Change,
  certificatesWithKey,
  deleteCertificate,
  findAccount,
  findCertificate,
  insertCertificate,
  insertRevocation,
  listCertificates,
  loginsIssuedBy,
  type Queries,
  serversByCertificate,
  updateCertificate,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, reaches, reachOf, requireZones } from '../caller.ts';
import { certificateView, readSurroundings } from '../domain/certificate-view.ts';
import { issuerHash } from '../domain/chain-facts.ts';
import { kindOf, makeCertificate } from '../domain/make-certificate.ts';
import { readImport } from '../domain/read-import.ts';
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
  /** PKCS#8 PEM of an issued login certificate: answered this once and stored nowhere. */
  privateKey: z.string().optional(),
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
  kind: body.source === 'import' ? body.kind : kindOf(body),
  zones: ('zones' in body ? body.zones : undefined) ?? [],
  account: ('account' in body ? body.account : undefined) ?? null,
});

async function requireCertificate(
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

const mostObstacles = 50;

/**
 * What would break if the certificate were gone: servers that present it, and TLS logins that are trusted through it.
 * A login certificate is used by its account alone, and deleting it is how that ends; SSH logins need no CA.
 */
async function obstaclesTo(queries: Queries, row: CertificateRow): Promise<string[]> {
  const servers = (await serversByCertificate(queries)).get(row.id) ?? [];
  const isTrust = row.kind === 'trusted' || row.kind === 'internal-ca';
  const logins = isTrust ? await loginsIssuedBy(queries, row.subject, mostObstacles) : [];
  return [
    ...servers.map((name) => `server:${name}`),
    ...logins.map((login) => `certificate:${login.alias}`),
  ].slice(0, mostObstacles);
}

async function touchZonesOf(change: Change, row: CertificateRow): Promise<void> {
  change.touch(await zonesOf(change.queries, row));
}

export const certificateOperations = [
  operation({
    route: 'GET /v1/certificates',
    summary: 'List certificates',
    query: z.strictObject({
      ...pageQuery,
      kind: z.enum(certificateKinds).optional(),
      account: id.optional(),
      alias: alias.optional(),
    }),
    answers: pageOf(certificate),
    async run(deps, { query, caller }) {
      const { kind, account, limit } = query;
      const around = await readSurroundings(deps.store.queries, deps.now());
      const filter = { kind, account, alias: query.alias };
      const rows = await listCertificates(deps.store.queries, asked(query, caller), filter);
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
      // Opening an encrypted file takes its time: it must not hold the write lock.
      const request = body.source === 'import' ? await readImport(body) : body;
      const committed = await commit(deps, caller, async (change) => {
        requireZones(caller, await zonesOf(change.queries, concernOf(body)));
        const { row, privateKeyPem } = await makeCertificate(deps, change.queries, request);
        await insertCertificate(change.queries, row);
        change.audit('certificate.create', `certificate:${row.id}`, {
          source: body.source,
          alias: row.alias,
          kind: row.kind,
          sha256: row.sha256,
          sshFingerprint: row.key.sshFingerprint,
          ...(row.account === null ? {} : { account: row.account }),
        });
        await touchZonesOf(change, row);
        const view = certificateView(row, await readSurroundings(change.queries, deps.now()));
        return { view, privateKeyPem };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      const { view, privateKeyPem } = value;
      const once = privateKeyPem === undefined ? {} : { privateKey: privateKeyPem };
      return ok({ body: { ...view, changeSequence, ...once }, version: view.version });
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
    route: 'POST /v1/certificates/{id}/revoke',
    summary: 'Revoke a certificate and its key: live sessions that rest on it end',
    params: idParams,
    answers: changedCertificate,
    precondition: 'if-match',
    run(deps, { params, caller, expectedVersion }) {
      return commitResource(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        await requireKey(change.queries, caller, row);
        requireVersion(row, expectedVersion);
        const next = { ...row, revokedAt: row.revokedAt ?? change.at, version: row.version + 1 };
        requireWritten(await updateCertificate(change.queries, next, expectedVersion));
        await insertRevocation(change.queries, {
          sha256: row.sha256,
          spkiSha256: row.spkiSha256,
          at: next.revokedAt,
          issuerHash: row.form === 'x509' ? issuerHash(row) : null,
          serial: row.form === 'x509' ? row.serial : null,
          reason: null,
        });
        change.audit('certificate.revoke', `certificate:${row.id}`, { alias: row.alias, sha256: row.sha256 });
        // Every zone refuses a revoked key, so every zone is told.
        change.touch('all');
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
