import { fromBase64, utf8 } from '@sallyport/bytes';
import { FaultError, ok } from '@sallyport/faults';
import {
  certificate,
  certificateRequest,
  certificateRequestCreate,
  certificateRequestFinish,
} from '@sallyport/model';
import { toPem } from '@sallyport/pki';
import {
  type CertificateRequestRow,
  deleteCertificateRequest,
  findAccount,
  findCertificateRequest,
  insertCertificate,
  insertCertificateRequest,
  listCertificateRequests,
  type Queries,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, requireZones } from '../caller.ts';
import { admit } from '../domain/admit-certificate.ts';
import {
  admitRequest,
  certificateRequestView,
  finishRequest,
  makeRequest,
} from '../domain/certificate-request.ts';
import { certificateView, readSurroundings } from '../domain/certificate-view.ts';
import { inPlaceOf, replaceCertificate } from '../domain/replace-certificate.ts';
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
import { requireCertificate, touchZonesOf } from './certificates.ts';

const finishedCertificate = certificate.extend({
  ...changed,
  /** What is allowed, but worth to know: an unknown CA, names that were left out. */
  warnings: z.array(z.string()),
});

async function requireReach(
  queries: Queries,
  caller: Caller,
  row: Pick<CertificateRequestRow, 'zones' | 'account'>,
): Promise<void> {
  if (row.account === null) return requireZones(caller, row.zones);
  const account = await findAccount(queries, row.account);
  if (!account) {
    const detail = 'there is no such account';
    throw new FaultError({ code: 'invalid-request', detail, fields: [{ pointer: '/account', detail }] });
  }
  requireZones(caller, account.zones);
}

async function requireRequest(queries: Queries, caller: Caller, id: string): Promise<CertificateRequestRow> {
  const row = found(await findCertificateRequest(queries, id), 'certificate request');
  await requireReach(queries, caller, row);
  return row;
}

export const certificateRequestOperations = [
  operation({
    route: 'GET /v1/certificate-requests',
    summary: 'List certificate requests that wait for their certificate',
    query: z.strictObject(pageQuery),
    answers: pageOf(certificateRequest),
    async run(deps, { query, caller }) {
      const rows = await listCertificateRequests(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map(certificateRequestView) } });
    },
  }),
  operation({
    route: 'POST /v1/certificate-requests',
    summary: 'Make a key and a certificate request for it; the key stays here',
    body: certificateRequestCreate,
    answers: certificateRequest.extend(changed),
    status: 201,
    async run(deps, { body, caller }) {
      const { queries } = deps.store;
      const replaced =
        body.replaces === undefined ? undefined : await requireCertificate(queries, caller, body.replaces);
      // Nobody makes us generate keys for zones that are not his.
      const { zones = [], account = null } = body;
      await requireReach(queries, caller, { zones, account });
      const row = await makeRequest(deps, body, replaced);
      return commitResource(deps, caller, async (change) => {
        await requireReach(change.queries, caller, row);
        if (row.replaces !== null) await requireCertificate(change.queries, caller, row.replaces);
        await admitRequest(change.queries, row);
        await insertCertificateRequest(change.queries, row);
        const { alias, kind, subject } = row;
        change.audit('certificate-request.create', `certificate-request:${row.id}`, { alias, kind, subject });
        return certificateRequestView(row);
      });
    },
  }),
  operation({
    route: 'GET /v1/certificate-requests/{id}',
    summary: 'Show a certificate request',
    params: idParams,
    answers: certificateRequest,
    async run(deps, { params, caller }) {
      const row = await requireRequest(deps.store.queries, caller, params.id);
      return ok({ body: certificateRequestView(row), version: row.version });
    },
  }),
  operation({
    route: 'GET /v1/certificate-requests/{id}/request',
    summary: 'Download a certificate request, to send it to a CA (PKCS#10)',
    params: idParams,
    query: z.strictObject({ format: z.enum(['pem', 'der']).default('pem') }),
    answers: 'bytes',
    async run(deps, { params, query, caller }) {
      const der = fromBase64((await requireRequest(deps.store.queries, caller, params.id)).request);
      return ok({ body: query.format === 'der' ? der : utf8(toPem('CERTIFICATE REQUEST', der)) });
    },
  }),
  operation({
    route: 'POST /v1/certificate-requests/{id}/finish',
    summary: 'Put the certificate that a CA has issued to its key',
    params: idParams,
    body: certificateRequestFinish,
    answers: finishedCertificate,
    maxBodyBytes: 524_288,
    async run(deps, { params, body, caller }) {
      const request = await requireRequest(deps.store.queries, caller, params.id);
      const finished = await finishRequest(deps, request, body);
      return commitResource(deps, caller, async (change) => {
        const { queries } = change;
        await requireRequest(queries, caller, request.id);
        requireWritten(await deleteCertificateRequest(queries, request.id, request.version));
        const { pointer } = finished;
        let { row } = finished;
        let warnings: readonly string[];
        if (request.replaces === null) {
          warnings = (await admit(change, caller, [{ row, pointer }]))[0] ?? [];
          await insertCertificate(queries, row);
        } else {
          const replaced = await requireCertificate(queries, caller, request.replaces);
          row = inPlaceOf(replaced, row);
          warnings = await replaceCertificate(change, caller, replaced, { row, pointer });
        }
        const { alias, kind, sha256, issuer } = row;
        change.audit('certificate-request.finish', `certificate:${row.id}`, { alias, kind, sha256, issuer });
        await touchZonesOf(change, row);
        const view = certificateView(row, await readSurroundings(queries, deps.now()));
        const unknown =
          view.status === 'untrusted'
            ? [`its chain ends at ${issuer}, which is no CA that is trusted here`]
            : [];
        return { ...view, warnings: [...warnings, ...finished.warnings, ...unknown] };
      });
    },
  }),
  operation({
    route: 'DELETE /v1/certificate-requests/{id}',
    summary: 'Delete a certificate request and its key',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = await requireRequest(change.queries, caller, params.id);
        requireVersion(row, expectedVersion);
        requireWritten(await deleteCertificateRequest(change.queries, row.id, expectedVersion));
        const { alias, kind } = row;
        change.audit('certificate-request.delete', `certificate-request:${row.id}`, { alias, kind });
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
