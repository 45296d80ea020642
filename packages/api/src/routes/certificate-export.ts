import { type Bytes, fromBase64, utf8 } from '@sallyport/bytes';
import { FaultError, ok } from '@sallyport/faults';
import { filePassword, host } from '@sallyport/model';
import {
  fingerprints,
  knownHostsLine,
  rfc4716PublicKey,
  sshfpRecord,
  sshPublicKeyLine,
  toPem,
  toPemChain,
} from '@sallyport/pki';
import { type CertificateRow, findCertificate, type Queries } from '@sallyport/store';
import { z } from 'zod';
import { type Caller, requireZones } from '../caller.ts';
import { fileAnswer, privateKeyFile } from '../domain/key-file.ts';
import { leafOf, privateKeyPurpose, storedSshBlob } from '../domain/stored-certificate.ts';
import { operation } from '../operation.ts';
import { changed, commit, found, idParams } from './answers.ts';
import { zonesOf } from './certificates.ts';

/** Forms of a certificate or its public key (reference F26). */
const publicFormats = ['pem', 'der', 'chain', 'openssh', 'rfc4716', 'sshfp', 'known-hosts'] as const;
/** Forms that hold the private key, each under a password. */
const privateFormats = ['pkcs12', 'pkcs8', 'openssh'] as const;

const exportRequest = z.strictObject({ format: z.enum(privateFormats), password: filePassword });

const digests = z.strictObject({
  /** Hexadecimal. */
  sha256: z.string(),
  /** `SHA256:` and unpadded base64. */
  sha256Base64: z.string(),
  /** This and `md5` are for display to partners with old programs; nothing is decided by them. */
  sha1: z.string(),
  md5: z.string(),
});

async function requireReadable(queries: Queries, caller: Caller, id: string): Promise<CertificateRow> {
  const row = found(await findCertificate(queries, id), 'certificate');
  const zones = await zonesOf(queries, row);
  if (zones !== 'all') requireZones(caller, zones);
  return row;
}

function publicForm(
  row: CertificateRow,
  format: (typeof publicFormats)[number],
  name: string | undefined,
  port: number,
): Bytes {
  switch (format) {
    case 'pem':
      return utf8(toPem('CERTIFICATE', leafOf(row)));
    case 'der':
      return leafOf(row);
    case 'chain':
      return utf8(toPemChain(row.chain.map(fromBase64)));
    case 'openssh':
      return utf8(`${sshPublicKeyLine(storedSshBlob(row), row.comment ?? row.alias)}\n`);
    case 'rfc4716':
      return utf8(rfc4716PublicKey(storedSshBlob(row), row.comment ?? row.alias));
    case 'sshfp':
      return utf8(`${sshfpRecord(named(name), storedSshBlob(row))}\n`);
    case 'known-hosts':
      return utf8(`${knownHostsLine(named(name), port, storedSshBlob(row))}\n`);
  }
}

function named(host: string | undefined): string {
  if (host !== undefined) return host;
  const detail = 'this form needs the host name';
  throw new FaultError({ code: 'invalid-request', detail, fields: [{ pointer: 'query/host', detail }] });
}

export const certificateExportOperations = [
  operation({
    route: 'GET /v1/certificates/{id}/public',
    summary: 'Download a certificate or its public key in one of its forms',
    params: idParams,
    query: z.strictObject({
      format: z.enum(publicFormats).default('pem'),
      host: host.optional(),
      port: z.coerce.number().int().min(1).max(65_535).default(22),
    }),
    answers: 'bytes',
    async run(deps, { params, query, caller }) {
      const row = await requireReadable(deps.store.queries, caller, params.id);
      return ok({ body: publicForm(row, query.format, query.host, query.port) });
    },
  }),
  operation({
    route: 'GET /v1/certificates/{id}/fingerprints',
    summary: 'Show the fingerprints of a certificate and of its key, old ones for comparison by people',
    params: idParams,
    answers: z.strictObject({
      certificate: digests,
      /** Of the SSH key blob, as SSH programs show a key. */
      key: digests,
    }),
    async run(deps, { params, caller }) {
      const row = await requireReadable(deps.store.queries, caller, params.id);
      return ok({ body: { certificate: fingerprints(leafOf(row)), key: fingerprints(storedSshBlob(row)) } });
    },
  }),
  operation({
    route: 'POST /v1/certificates/{id}/export',
    summary: 'Export a certificate with its private key, under a password',
    params: idParams,
    body: exportRequest,
    answers: fileAnswer.extend(changed),
    async run(deps, { params, body, caller }) {
      const row = await requireReadable(deps.store.queries, caller, params.id);
      // Everybody may read a CA; its key is for whoever may speak for all zones.
      requireZones(caller, await zonesOf(deps.store.queries, row));
      if (row.privateKey === null) {
        throw new FaultError({
          code: 'certificate-purpose',
          detail: `the private key of ${row.alias} is not held here`,
        });
      }
      const privateKey = await deps.keys.unwrap(privateKeyPurpose(row.id), row.privateKey);
      const { password } = body;
      const form = body.format === 'pkcs8' ? 'pem' : body.format;
      const file = await privateKeyFile(row, privateKey, { format: form, password });
      // No key leaves without its audit row: where that cannot be written, nothing is answered.
      const committed = await commit(deps, caller, async (change) => {
        change.audit('certificate.export', `certificate:${row.id}`, {
          alias: row.alias,
          format: body.format,
        });
      });
      return committed.ok
        ? ok({ body: { ...file, changeSequence: committed.value.changeSequence } })
        : committed;
    },
  }),
];
