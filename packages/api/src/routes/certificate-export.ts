import { type Bytes, fromBase64, toBase64, utf8 } from '@sallyport/bytes';
import { FaultError, ok, unwrap } from '@sallyport/faults';
import { host } from '@sallyport/model';
import {
  encryptedPkcs8,
  opensshPrivateKey,
  parseCertificate,
  pkcs12File,
  rfc4716PublicKey,
  sshBlobOf,
  sshfpRecord,
  sshPublicKeyLine,
  toPem,
  toPemChain,
} from '@sallyport/pki';
import { type CertificateRow, findCertificate, type Queries } from '@sallyport/store';
import { z } from 'zod';
import { type Caller, requireZones } from '../caller.ts';
import { leafOf, privateKeyPurpose } from '../domain/zone-content.ts';
import { operation } from '../operation.ts';
import { changed, commit, found, idParams } from './answers.ts';
import { zonesOf } from './certificates.ts';

/** Forms of a certificate or its public key (reference F26). */
const publicFormats = ['pem', 'der', 'chain', 'openssh', 'rfc4716', 'sshfp'] as const;
/** Forms that hold the private key, each under a password. */
const privateFormats = ['pkcs12', 'pkcs8', 'openssh'] as const;

const exported = z.strictObject({
  /** What to call the file. */
  fileName: z.string(),
  /** The file's bytes in base64. */
  data: z.string(),
});

const exportRequest = z.strictObject({
  format: z.enum(privateFormats),
  /** Protects the exported key; it is not stored. */
  password: z
    .string()
    .min(8)
    .max(1_024)
    .regex(/^[^\u0000\ud800-\udfff]*$/u, 'no NUL and no half of a surrogate pair'),
});

async function requireReadable(queries: Queries, caller: Caller, id: string): Promise<CertificateRow> {
  const row = found(await findCertificate(queries, id), 'certificate');
  const zones = await zonesOf(queries, row);
  if (zones !== 'all') requireZones(caller, zones);
  return row;
}

const chainOf = (row: CertificateRow): Bytes[] => row.chain.map(fromBase64);

function sshBlob(row: CertificateRow): Bytes {
  return unwrap(sshBlobOf(unwrap(parseCertificate(leafOf(row))).spki));
}

function publicForm(
  row: CertificateRow,
  format: (typeof publicFormats)[number],
  name: string | undefined,
): Bytes {
  switch (format) {
    case 'pem':
      return utf8(toPem('CERTIFICATE', leafOf(row)));
    case 'der':
      return leafOf(row);
    case 'chain':
      return utf8(toPemChain(chainOf(row)));
    case 'openssh':
      return utf8(`${sshPublicKeyLine(sshBlob(row), row.comment ?? row.alias)}\n`);
    case 'rfc4716':
      return utf8(rfc4716PublicKey(sshBlob(row), row.comment ?? row.alias));
    case 'sshfp': {
      if (name === undefined) {
        const detail = 'an SSHFP record needs the host name';
        throw new FaultError({
          code: 'invalid-request',
          detail,
          fields: [{ pointer: 'query/host', detail }],
        });
      }
      return utf8(`${sshfpRecord(name, sshBlob(row))}\n`);
    }
  }
}

async function privateForm(
  row: CertificateRow,
  privateKey: Bytes,
  request: z.output<typeof exportRequest>,
): Promise<z.input<typeof exported>> {
  switch (request.format) {
    case 'pkcs12': {
      const file = await pkcs12File(
        { privateKey, chain: chainOf(row), friendlyName: row.alias },
        request.password,
      );
      return { fileName: `${row.alias}.p12`, data: toBase64(file) };
    }
    case 'pkcs8': {
      const pem = toPem('ENCRYPTED PRIVATE KEY', await encryptedPkcs8(privateKey, request.password));
      return { fileName: `${row.alias}.key`, data: toBase64(utf8(pem)) };
    }
    case 'openssh': {
      const file = await opensshPrivateKey(privateKey, row.comment ?? row.alias, request.password);
      return { fileName: row.alias, data: toBase64(utf8(file)) };
    }
  }
}

export const certificateExportOperations = [
  operation({
    route: 'GET /v1/certificates/{id}/public',
    summary: 'Download a certificate or its public key in one of its forms',
    params: idParams,
    query: z.strictObject({ format: z.enum(publicFormats).default('pem'), host: host.optional() }),
    answers: 'bytes',
    async run(deps, { params, query, caller }) {
      const row = await requireReadable(deps.store.queries, caller, params.id);
      return ok({ body: publicForm(row, query.format, query.host) });
    },
  }),
  operation({
    route: 'POST /v1/certificates/{id}/export',
    summary: 'Export a certificate with its private key, under a password',
    params: idParams,
    body: exportRequest,
    answers: exported.extend(changed),
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
      const file = await privateForm(row, privateKey, body);
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
