import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { type Fault, FaultError, refuseField, unwrap } from '@sallyport/faults';
import type { CertificateSign } from '@sallyport/model';
import { type CertificateRequest, parseCertificateRequest } from '@sallyport/pki';
import type { CertificateRow, Queries } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { newRow } from './certificate-row.ts';
import { signTls } from './make-certificate.ts';

const atCsr = (fault: Fault): FaultError =>
  new FaultError({ ...fault, fields: [{ pointer: '/csr', detail: fault.detail ?? 'cannot be read' }] });

/** DER of a request that came as PEM or as base64 of DER. */
function derOf(csr: string): Bytes {
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([\s\S]*?)-----END/.exec(csr)?.[1] ?? csr;
  try {
    return fromBase64(body.replace(/\s+/g, ''));
  } catch {
    throw atCsr({ code: 'csr-malformed', detail: 'neither PEM nor base64' });
  }
}

/** Reads a foreign request whose holder has proved the key. Throws FaultError on `/csr`. */
export async function readForeignRequest(csr: string): Promise<CertificateRequest> {
  const parsed = await parseCertificateRequest(derOf(csr));
  if (!parsed.ok) throw atCsr(parsed.fault);
  return parsed.value;
}

/**
 * Signs a foreign request by the internal CA that is active. Who the holder is, the caller says: what the request asks for
 * is taken only where the caller takes it.
 *
 * @returns the row, recorded so that it can be revoked: a login where it logs an account in, else a partner's; and the CA
 */
export async function signForeignRequest(
  deps: Dependencies,
  queries: Queries,
  request: CertificateRequest,
  body: CertificateSign,
): Promise<{ readonly row: CertificateRow; readonly issuedBy: string | undefined }> {
  const { alias, purpose, account, zones = [], match, validDays } = body;
  const isLogin = purpose === 'tls-client' && account !== undefined;
  const sans = body.sans === 'requested' ? request.sans : body.sans;
  if (purpose === 'tls-server' && sans.length === 0) {
    unwrap(refuseField('invalid-request', '/sans', 'clients of a TLS server look at nothing else: name one'));
  }
  if (match !== undefined && !isLogin) {
    unwrap(refuseField('invalid-request', '/match', 'only a login certificate is matched'));
  }
  if ((account === undefined) === (zones.length === 0)) {
    unwrap(refuseField('invalid-request', '/account', 'say whose it is: an account, or zones'));
  }
  const subject =
    body.subject === 'requested'
      ? { der: request.subjectDer }
      : (body.subject ?? { commonName: alias.slice(0, 64) });
  const signed = await signTls(
    deps,
    queries,
    { spki: request.spki },
    { subject, sans, purpose },
    { days: validDays, issuance: 'internal-ca' },
  );
  const row = await newRow(
    deps,
    {
      alias,
      kind: isLogin ? 'login' : 'partner',
      zones,
      account: account ?? null,
      ...(isLogin ? { match: match ?? 'certificate', anchor: 'path' } : {}),
    },
    [signed.der],
  );
  return { row, issuedBy: signed.issuedBy };
}
