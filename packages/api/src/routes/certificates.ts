import { FaultError, ok } from '@sallyport/faults';
import { alias, certificate, certificateCreate, certificateKinds, id } from '@sallyport/model';
import {
  type CertificateRow,
  type Change,
  deleteCertificate,
  findAccount,
  findCertificate,
  insertCertificate,
  insertRevocation,
  listCertificates,
  type Queries,
  updateCertificate,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, reaches, requireZones } from '../caller.ts';
import { certificateView, readSurroundings, usesOf } from '../domain/certificate-view.ts';
import { makeCertificate } from '../domain/make-certificate.ts';
import { operation } from '../operation.ts';
import {
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
async function zonesOf(
  queries: Queries,
  row: Pick<CertificateRow, 'kind' | 'zones' | 'account'>,
): Promise<string[] | 'all'> {
  if (row.kind === 'trusted' || row.kind === 'internal-ca') return 'all';
  if (row.account !== null) return (await findAccount(queries, row.account))?.zones ?? [];
  return row.zones;
}

async function requireCertificate(
  queries: Queries,
  caller: Caller,
  certificateId: string,
): Promise<CertificateRow> {
  const row = found(await findCertificate(queries, certificateId), 'certificate');
  requireZones(caller, await zonesOf(queries, row));
  return row;
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
      const after = { after: query.cursor ?? '', limit: limit + 1 };
      const list = page(await listCertificates(deps.store.queries, after, filter), limit, (row) => row.id);
      const items = [];
      for (const row of list.items) {
        const zones = await zonesOf(deps.store.queries, row);
        // Trust is everybody's business: any reader may see the CAs.
        if (zones === 'all' || zones.some((zone) => reaches(caller, zone)))
          items.push(certificateView(row, around));
      }
      return ok({ body: { ...list, items } });
    },
  }),
  operation({
    route: 'POST /v1/certificates',
    summary: 'Make or import a certificate',
    body: certificateCreate,
    answers: createdCertificate,
    status: 201,
    async run(deps, { body, caller }) {
      const committed = await commit(deps, caller, async (change) => {
        const { row, privateKeyPem } = await makeCertificate(deps, change.queries, body);
        requireZones(caller, await zonesOf(change.queries, row));
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
        requireVersion(row, expectedVersion);
        const next = { ...row, revokedAt: row.revokedAt ?? change.at, version: row.version + 1 };
        requireWritten(await updateCertificate(change.queries, next, expectedVersion));
        await insertRevocation(change.queries, {
          sha256: row.sha256,
          spkiSha256: row.spkiSha256,
          at: next.revokedAt,
        });
        change.audit('certificate.revoke', `certificate:${row.id}`, { alias: row.alias, sha256: row.sha256 });
        await touchZonesOf(change, row);
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
        const around = await readSurroundings(change.queries, deps.now());
        // A login certificate is used by its account alone, and deleting it is how that ends.
        const usedBy = usesOf(row, around).filter((use) => use.startsWith('server:'));
        if (usedBy.length > 0) throw new FaultError({ code: 'in-use', detail: usedBy.join(', '), usedBy });
        requireWritten(await deleteCertificate(change.queries, params.id, expectedVersion));
        change.audit('certificate.delete', `certificate:${row.id}`, { alias: row.alias, sha256: row.sha256 });
        await touchZonesOf(change, row);
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
