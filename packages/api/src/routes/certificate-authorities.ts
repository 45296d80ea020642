import { type Bytes, utf8 } from '@sallyport/bytes';
import { FaultError, ok, refuseField, unwrap } from '@sallyport/faults';
import {
  certificate,
  certificateAuthority,
  certificateAuthorityCreate,
  certificateSign,
  revocationReasons,
  time,
} from '@sallyport/model';
import { parseCertificate, sshBlobOf, sshPublicKeyLine, toPem } from '@sallyport/pki';
import {
  activeCertificateAuthority,
  type CertificateRow,
  deleteCertificate,
  findCertificate,
  insertCertificate,
  insertRevocation,
  listCertificateAuthorities,
  type Queries,
  updateCertificate,
} from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { admit } from '../domain/admit-certificate.ts';
import { authorityDependants, requireConfirmation } from '../domain/authority-dependants.ts';
import {
  certificateAuthorityView,
  preparedAuthority,
  readAuthority,
} from '../domain/certificate-authority.ts';
import { certificateView, readSurroundings } from '../domain/certificate-view.ts';
import { issuerHash } from '../domain/chain-facts.ts';
import { readForeignRequest, signForeignRequest } from '../domain/sign-request.ts';
import { leafOf } from '../domain/stored-certificate.ts';
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
import { touchZonesOf } from './certificates.ts';

const signedCertificate = certificate.extend({
  ...changed,
  warnings: z.array(z.string()),
  /** PEM of the certificate and of the CA that signed it. */
  chain: z.string(),
});

const changedAuthority = certificateAuthority.extend(changed);

/** How many dependants the caller knows of and stops all the same. */
const confirm = z.int().min(0).optional();

/** Forms of a CA: its certificate, and its key for those who trust the OpenSSH certificates that it signs. */
const authorityFormats = ['pem', 'der', 'openssh', 'cert-authority', 'known-hosts'] as const;

/** The internal CA of that id; FaultError `not-found` for certificates of other kinds. */
export async function requireAuthority(queries: Queries, id: string): Promise<CertificateRow> {
  const row = await findCertificate(queries, id);
  return found(row?.kind === 'internal-ca' ? row : undefined, 'internal CA');
}

const refusedState = (detail: string): FaultError => new FaultError({ code: 'certificate-purpose', detail });

function authorityForm(row: CertificateRow, format: (typeof authorityFormats)[number], hosts: string): Bytes {
  const der = leafOf(row);
  if (format === 'der') return der;
  if (format === 'pem') return utf8(toPem('CERTIFICATE', der));
  const line = sshPublicKeyLine(unwrap(sshBlobOf(unwrap(parseCertificate(der)).spki)), row.alias);
  switch (format) {
    case 'openssh':
      return utf8(`${line}\n`);
    case 'cert-authority':
      return utf8(`cert-authority ${line}\n`);
    case 'known-hosts':
      return utf8(`@cert-authority ${hosts} ${line}\n`);
  }
}

export const certificateAuthorityOperations = [
  operation({
    route: 'GET /v1/certificate-authorities',
    summary: 'List the internal CAs',
    query: z.strictObject(pageQuery),
    answers: pageOf(certificateAuthority),
    async run(deps, { query, caller }) {
      const rows = await listCertificateAuthorities(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, (row) => row.id);
      return ok({
        body: { ...list, items: list.items.map((row) => certificateAuthorityView(row, deps.now())) },
      });
    },
  }),
  operation({
    route: 'POST /v1/certificate-authorities',
    summary: 'Make or import an internal CA: trusted at once, it signs when it is activated',
    body: certificateAuthorityCreate,
    answers: changedAuthority,
    status: 201,
    maxBodyBytes: 1_572_864,
    async run(deps, { body, caller }) {
      requireZones(caller, 'all');
      const row = await preparedAuthority(deps, body, await readAuthority(body, deps.now()));
      return commitResource(deps, caller, async (change) => {
        await admit(change, caller, [{ row, pointer: body.source === 'import' ? '/data' : '' }]);
        await insertCertificate(change.queries, row);
        const { source } = body;
        const { alias, sha256 } = row;
        change.audit('certificate-authority.prepare', `certificate:${row.id}`, { source, alias, sha256 });
        change.touch('all');
        return certificateAuthorityView(row, deps.now());
      });
    },
  }),
  operation({
    route: 'GET /v1/certificate-authorities/{id}',
    summary: 'Show an internal CA',
    params: idParams,
    answers: certificateAuthority,
    async run(deps, { params }) {
      const row = await requireAuthority(deps.store.queries, params.id);
      return ok({ body: certificateAuthorityView(row, deps.now()), version: row.version });
    },
  }),
  operation({
    route: 'GET /v1/certificate-authorities/{id}/public',
    summary: 'Download an internal CA: its certificate, or the line that OpenSSH trusts it by',
    params: idParams,
    query: z.strictObject({
      format: z.enum(authorityFormats).default('pem'),
      /** Host patterns of the `known-hosts` line. */
      hosts: z
        .string()
        .min(1)
        .max(255)
        .regex(/^[A-Za-z0-9.*?!,:[\]_-]+$/)
        .default('*'),
    }),
    answers: 'bytes',
    async run(deps, { params, query }) {
      const row = await requireAuthority(deps.store.queries, params.id);
      return ok({ body: authorityForm(row, query.format, query.hosts) });
    },
  }),
  operation({
    route: 'POST /v1/certificate-authorities/{id}/activate',
    summary: 'Let an internal CA sign from now on; the one before it is retired and trusted to its own end',
    params: idParams,
    answers: changedAuthority,
    precondition: 'if-match',
    run(deps, { params, caller, expectedVersion }) {
      requireZones(caller, 'all');
      return commitResource(deps, caller, async (change) => {
        const row = await requireAuthority(change.queries, params.id);
        requireVersion(row, expectedVersion);
        if (row.revokedAt !== null) throw refusedState('it is revoked');
        if (row.privateKey === null) throw refusedState('its key is not held here');
        const now = deps.now();
        if (Date.parse(row.notAfter) <= now) throw refusedState('it has expired');
        if (Date.parse(row.notBefore) > now) throw refusedState('it is not valid yet');
        const before = await activeCertificateAuthority(change.queries);
        if (before && before.id !== row.id) {
          const retired = {
            ...before,
            caState: 'retired' as const,
            trustedUntil: before.notAfter,
            version: before.version + 1,
          };
          requireWritten(await updateCertificate(change.queries, retired, before.version));
        }
        const next = { ...row, caState: 'active' as const, trustedUntil: null, version: row.version + 1 };
        requireWritten(await updateCertificate(change.queries, next, row.version));
        change.audit('certificate-authority.activate', `certificate:${row.id}`, {
          alias: row.alias,
          ...(before && before.id !== row.id ? { retired: before.alias } : {}),
        });
        change.touch('all');
        return certificateAuthorityView(next, now);
      });
    },
  }),
  operation({
    route: 'POST /v1/certificate-authorities/{id}/retire',
    summary: 'Say until when a CA that signs no more is trusted',
    params: idParams,
    body: z.strictObject({ trustedUntil: time, confirm }),
    answers: changedAuthority,
    precondition: 'if-match',
    async run(deps, { params, body, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const row = await requireAuthority(deps.store.queries, params.id);
      requireVersion(row, expectedVersion);
      if (row.revokedAt !== null) throw refusedState('it is revoked');
      if (row.caState === 'active')
        throw refusedState('it is the one that signs: activate another one first');
      const until = Date.parse(body.trustedUntil);
      if (until > Date.parse(row.notAfter)) {
        return refuseField('invalid-request', '/trustedUntil', `the CA itself ends on ${row.notAfter}`);
      }
      await confirmed(deps.store, row, Math.max(until, deps.now()), body.confirm);
      return commitResource(deps, caller, async (change) => {
        const next = {
          ...row,
          caState: 'retired' as const,
          trustedUntil: new Date(until).toISOString(),
          version: row.version + 1,
        };
        requireWritten(await updateCertificate(change.queries, next, expectedVersion));
        const { alias } = row;
        const { trustedUntil } = next;
        change.audit('certificate-authority.retire', `certificate:${row.id}`, { alias, trustedUntil });
        change.touch('all');
        return certificateAuthorityView(next, deps.now());
      });
    },
  }),
  operation({
    route: 'POST /v1/certificate-authorities/{id}/revoke',
    summary: 'Trust an internal CA and all that it signed no more, for ever',
    params: idParams,
    body: z.strictObject({ reason: z.enum(revocationReasons).optional(), confirm }),
    answers: changedAuthority,
    precondition: 'if-match',
    async run(deps, { params, body, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const row = await requireAuthority(deps.store.queries, params.id);
      requireVersion(row, expectedVersion);
      await confirmed(deps.store, row, deps.now(), body.confirm);
      return commitResource(deps, caller, async (change) => {
        const next = {
          ...row,
          caState: 'retired' as const,
          trustedUntil: row.trustedUntil ?? change.at,
          revokedAt: row.revokedAt ?? change.at,
          version: row.version + 1,
        };
        requireWritten(await updateCertificate(change.queries, next, expectedVersion));
        await insertRevocation(change.queries, {
          sha256: row.sha256,
          spkiSha256: row.spkiSha256,
          at: next.revokedAt,
          issuerHash: issuerHash(row),
          serial: row.serial,
          reason: body.reason ?? null,
          zones: null,
        });
        const { alias, sha256 } = row;
        change.audit('certificate-authority.revoke', `certificate:${row.id}`, { alias, sha256 });
        change.touch('all');
        return certificateAuthorityView(next, deps.now());
      });
    },
  }),
  operation({
    route: 'POST /v1/certificate-authorities/{id}/sign',
    summary: 'Sign a certificate request of somebody else',
    params: idParams,
    body: certificateSign,
    answers: signedCertificate,
    status: 201,
    async run(deps, { params, body, caller }) {
      const { queries } = deps.store;
      const ca = await requireAuthority(queries, params.id);
      // A server's certificate speaks for its names to clients of every zone: it is for those who speak for all.
      requireZones(caller, body.purpose === 'tls-server' ? 'all' : (body.zones ?? []));
      if (ca.caState !== 'active') throw refusedState('it does not sign: it is not active');
      const request = await readForeignRequest(body.csr);
      const { row, issuedBy } = await signForeignRequest(deps, queries, request, body);
      if (issuedBy !== ca.id) throw new FaultError({ code: 'precondition-failed' });
      return commitResource(deps, caller, async (change) => {
        const [warnings = []] = await admit(change, caller, [{ row, pointer: '/csr', issuedBy }]);
        await insertCertificate(change.queries, row);
        const { alias, kind, sha256, account, subject } = row;
        const detail = { alias, kind, sha256, subject, ...(account === null ? {} : { account }) };
        change.audit('certificate-authority.sign', `certificate:${row.id}`, detail);
        await touchZonesOf(change, row);
        const view = certificateView(row, await readSurroundings(change.queries, deps.now()));
        return { ...view, warnings, chain: view.pem + toPem('CERTIFICATE', leafOf(ca)) };
      });
    },
  }),
  operation({
    route: 'DELETE /v1/certificate-authorities/{id}',
    summary: 'Delete an internal CA: nothing that it signed is trusted any more',
    params: idParams,
    query: z.strictObject({ confirm: z.coerce.number().int().min(0).optional() }),
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, query, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const row = await requireAuthority(deps.store.queries, params.id);
      requireVersion(row, expectedVersion);
      await confirmed(deps.store, row, deps.now(), query.confirm);
      const committed = await commit(deps, caller, async (change) => {
        requireWritten(await deleteCertificate(change.queries, row.id, expectedVersion));
        const { alias, sha256 } = row;
        change.audit('certificate-authority.delete', `certificate:${row.id}`, { alias, sha256 });
        change.touch('all');
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];

/**
 * Holds a caller to what he confirmed. It is looked up beside the write lock, since signatures are verified for it: what
 * is issued in the moment between is not counted.
 */
async function confirmed(
  store: { read<T>(work: (queries: Queries) => Promise<T>): Promise<T> },
  row: CertificateRow,
  from: number,
  confirm: number | undefined,
): Promise<void> {
  if (row.revokedAt !== null) return;
  requireConfirmation(await store.read((queries) => authorityDependants(queries, row, from)), confirm);
}
