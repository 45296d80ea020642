import { FaultError, ok } from '@sallyport/faults';
import {
  certificate,
  certificateRenew,
  certificateReplace,
  id,
  publicKey,
  sha256,
  time,
} from '@sallyport/model';
import {
  type CertificateRow,
  certificatesEnding,
  certificateVersionsOf,
  deleteCertificateVersion,
  findCertificate,
  findCertificates,
  findCertificateVersion,
  type Queries,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, reachOf, requireZones } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { certificateView, readSurroundings } from '../domain/certificate-view.ts';
import { fileAnswer } from '../domain/key-file.ts';
import type { MadeCertificate } from '../domain/made-certificate.ts';
import { makeReplacement, replaceCertificate, rollBack } from '../domain/replace-certificate.ts';
import { operation } from '../operation.ts';
import { changeAnswer, changed, commit, commitResource, found, idParams, requireVersion } from './answers.ts';
import { requireCertificate, touchZonesOf, zonesOf } from './certificates.ts';

const replaced = certificate.extend({ ...changed, warnings: z.array(z.string()) });

const versionView = z.strictObject({
  number: z.int(),
  replacedAt: time,
  subject: z.string(),
  issuer: z.string(),
  serial: z.string(),
  notBefore: time,
  notAfter: time,
  sha256,
  key: publicKey,
  hasPrivateKey: z.boolean(),
});

const skipped = z.strictObject({ id, alias: z.string(), reason: z.string() });
const renewed = z.strictObject({ id, alias: z.string(), version: z.int(), notAfter: time });

/** How many certificates one call renews. */
const mostRenewed = 500;

export const certificateReplacementOperations = [
  operation({
    route: 'POST /v1/certificates/renew',
    summary: 'Renew certificates that are issued here: those named, or all that end soon',
    body: certificateRenew,
    answers: z.strictObject({ ...changed, renewed: z.array(renewed), skipped: z.array(skipped) }),
    async run(deps, { body, caller }) {
      const rows = await rowsToRenew(deps, caller, body);
      const outcomes = await makeAll(deps, rows, body);
      const committed = await commit(deps, caller, async (change) => {
        const done: z.input<typeof renewed>[] = [];
        const left = [...outcomes.skipped];
        for (const { before, made } of outcomes.made) {
          const row = await findCertificate(change.queries, before.id);
          const { alias } = before;
          if (row?.version !== before.version) {
            left.push({ id: before.id, alias, reason: 'it was changed meanwhile' });
            continue;
          }
          try {
            await replaceCertificate(change, caller, row, made);
          } catch (error) {
            left.push({ id: row.id, alias, reason: reasonOf(error) });
            continue;
          }
          const { version, notAfter, sha256 } = made.row;
          done.push({ id: row.id, alias, version, notAfter });
          change.audit('certificate.replace', `certificate:${row.id}`, { alias, source: 'renewal', sha256 });
          await touchZonesOf(change, row);
        }
        return { renewed: done, skipped: left };
      });
      if (!committed.ok) return committed;
      return ok({ body: { ...committed.value.value, changeSequence: committed.value.changeSequence } });
    },
  }),
  operation({
    route: 'POST /v1/certificates/{id}/replace',
    summary: 'Put another certificate behind an alias; servers follow without a restart',
    params: idParams,
    body: certificateReplace,
    answers: replaced.extend({ handedOut: fileAnswer.optional() }),
    precondition: 'if-match',
    maxBodyBytes: 1_572_864,
    async run(deps, { params, body, caller, expectedVersion }) {
      const before = await requireCertificate(deps.store.queries, caller, params.id);
      requireVersion(before, expectedVersion);
      const made = await makeReplacement(deps, deps.store.queries, before, body);
      const once = made.handedOut ? { handedOut: made.handedOut } : {};
      return commitResource(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        requireVersion(row, expectedVersion);
        const warnings = await replaceCertificate(change, caller, row, made);
        change.audit('certificate.replace', `certificate:${row.id}`, {
          alias: row.alias,
          source: body.source,
          sha256: made.row.sha256,
          replaced: row.sha256,
          ...(warnings.length === 0 ? {} : { warnings }),
        });
        await touchZonesOf(change, row);
        const view = certificateView(made.row, await readSurroundings(change.queries, deps.now()));
        return { ...view, warnings, ...once };
      });
    },
  }),
  operation({
    route: 'GET /v1/certificates/{id}/versions',
    summary: 'List what a certificate was before it was replaced, the newest first',
    params: idParams,
    answers: z.strictObject({ items: z.array(versionView) }),
    async run(deps, { params, caller }) {
      const { queries } = deps.store;
      const row = found(await findCertificate(queries, params.id), 'certificate');
      const zones = await zonesOf(queries, row);
      if (zones !== 'all') requireZones(caller, zones);
      const versions = await certificateVersionsOf(queries, row.id);
      return ok({ body: { items: versions.map(viewOf) } });
    },
  }),
  operation({
    route: 'POST /v1/certificates/{id}/rollback',
    summary: 'Put an earlier version of a certificate back in its place',
    params: idParams,
    body: z.strictObject({ number: z.int().min(1) }),
    answers: replaced,
    precondition: 'if-match',
    run(deps, { params, body, caller, expectedVersion }) {
      return commitResource(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        requireVersion(row, expectedVersion);
        const earlier = await requireCertificateVersion(change.queries, row.id, body.number);
        const { row: next, warnings } = await rollBack(change, caller, row, earlier);
        change.audit('certificate.rollback', `certificate:${row.id}`, {
          alias: row.alias,
          number: body.number,
          sha256: next.sha256,
        });
        await touchZonesOf(change, row);
        const view = certificateView(next, await readSurroundings(change.queries, deps.now()));
        return { ...view, warnings };
      });
    },
  }),
  operation({
    route: 'DELETE /v1/certificates/{id}/versions/{number}',
    summary: 'Delete an earlier version of a certificate and its key',
    params: idParams.extend({ number: z.coerce.number().int().min(1) }),
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = await requireCertificate(change.queries, caller, params.id);
        requireVersion(row, expectedVersion);
        const earlier = await requireCertificateVersion(change.queries, row.id, params.number);
        await deleteCertificateVersion(change.queries, row.id, earlier.number);
        change.audit('certificate.version-delete', `certificate:${row.id}`, {
          alias: row.alias,
          number: earlier.number,
          sha256: earlier.row.sha256,
        });
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];

const requireCertificateVersion = async (queries: Queries, certificateId: string, number: number) =>
  found(await findCertificateVersion(queries, certificateId, number), 'version of this certificate');

const viewOf = ({
  number,
  replacedAt,
  row,
}: {
  readonly number: number;
  readonly replacedAt: string;
  readonly row: CertificateRow;
}): z.input<typeof versionView> => ({
  number,
  replacedAt,
  subject: row.subject,
  issuer: row.issuer,
  serial: row.serial,
  notBefore: row.notBefore,
  notAfter: row.notAfter,
  sha256: row.sha256,
  key: row.key,
  hasPrivateKey: row.privateKey !== null,
});

async function rowsToRenew(
  deps: Dependencies,
  caller: Caller,
  { ids, expiresWithin }: z.output<typeof certificateRenew>,
): Promise<CertificateRow[]> {
  if ((ids === undefined) === (expiresWithin === undefined)) {
    const detail = 'name the certificates as ids, or say expiresWithin, one of the two';
    throw new FaultError({ code: 'invalid-request', detail, fields: [{ pointer: '/ids', detail }] });
  }
  const { queries } = deps.store;
  if (ids === undefined) {
    const until = new Date(deps.now() + (expiresWithin ?? 0)).toISOString();
    const rows = await certificatesEnding(queries, { reach: reachOf(caller), limit: mostRenewed }, until);
    const reached = await Promise.all(
      rows.map(async (row) => ({ row, mayChange: await mayChange(queries, caller, row) })),
    );
    return reached.flatMap(({ row, mayChange }) => (mayChange ? [row] : []));
  }
  const rows = await findCertificates(queries, ids);
  for (const [index, wanted] of ids.entries()) {
    const row = rows.find((candidate) => candidate.id === wanted);
    const detail = 'there is no such certificate';
    if (!row)
      throw new FaultError({ code: 'not-found', detail, fields: [{ pointer: `/ids/${index}`, detail }] });
    requireZones(caller, await zonesOf(queries, row));
  }
  return rows;
}

async function mayChange(queries: Queries, caller: Caller, row: CertificateRow): Promise<boolean> {
  if (row.kind === 'trusted' || row.kind === 'internal-ca') return false;
  const zones = await zonesOf(queries, row);
  const reach = reachOf(caller);
  return reach === '*' || (zones !== 'all' && zones.every((zone) => reach.includes(zone)));
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof FaultError) || error.fault.code === 'internal') throw error;
  return error.fault.detail ?? error.message;
};

async function makeAll(
  deps: Dependencies,
  rows: readonly CertificateRow[],
  { key = 'same', validDays }: z.output<typeof certificateRenew>,
) {
  const made: { readonly before: CertificateRow; readonly made: MadeCertificate }[] = [];
  const left: z.input<typeof skipped>[] = [];
  const source = key === 'same' ? ('same-key' as const) : ('new-key' as const);
  for (const before of rows) {
    try {
      const request = { source, validDays };
      made.push({ before, made: await makeReplacement(deps, deps.store.queries, before, request) });
    } catch (error) {
      left.push({ id: before.id, alias: before.alias, reason: reasonOf(error) });
    }
  }
  return { made, skipped: left };
}
