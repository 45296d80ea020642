import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { type Fault, FaultError } from '@sallyport/faults';
import type { CertificateCreate } from '@sallyport/model';
import {
  type ImportedMaterial,
  importKeyMaterial,
  sshPublicKeyLine,
  toPem,
  toPemChain,
} from '@sallyport/pki';

type Import = Extract<CertificateCreate, { source: 'import' }>;

/** A server's SSH host key without a certificate: it gets a wrapper, as every key lives in a certificate. */
export type WrapHostKey = {
  readonly source: 'wrap-host-key';
  readonly alias: string;
  readonly zones: string[];
  /** DER SubjectPublicKeyInfo, and PKCS#8 DER of the same key. */
  readonly spki: Bytes;
  readonly privateKey: Bytes;
  readonly comment: string;
};

/** What `makeCertificate` makes: an import has become one of the plainer ways by then. */
export type MakeRequest = Exclude<CertificateCreate, Import> | WrapHostKey;

/**
 * Reads the file of an import and says which plainer request it comes to. It may cost seconds of key derivation, so
 * it is called before the write lock is taken.
 * Throws FaultError on the field that is wrong, with what was recognised in it.
 */
export async function readImport(request: Import): Promise<MakeRequest> {
  const material = await read(request);
  if (material.form === 'choice') throw choiceRequired(material);
  switch (request.kind) {
    case 'local':
      return localRequest(request, material);
    case 'login':
      return loginRequest(request, material);
    case 'trusted':
      return trustedRequest(request, material);
  }
}

async function read(request: Import): Promise<ImportedMaterial> {
  const imported = await importKeyMaterial(fromBase64(request.data), {
    password: request.password,
    choice: request.choice,
  });
  if (imported.ok) return imported.value;
  const pointer = imported.fault.code.startsWith('key-password') ? '/password' : '/data';
  throw onField(imported.fault, pointer);
}

const onField = (fault: Fault, pointer: string): FaultError =>
  new FaultError({ ...fault, fields: [{ pointer, detail: fault.detail ?? 'cannot be read' }] });

const refusedPurpose = (detail: string, pointer = '/data'): FaultError =>
  new FaultError({ code: 'certificate-purpose', detail, fields: [{ pointer, detail }] });

function choiceRequired(material: Extract<ImportedMaterial, { form: 'choice' }>): FaultError {
  const entries = material.entries.map(({ name, key, subject }) => ({
    pointer: '/choice',
    detail: `${name}: ${key.type} ${key.sshFingerprint}${subject === undefined ? '' : `, ${subject}`}`,
  }));
  return new FaultError({
    code: 'import-choice-required',
    detail: `${material.recognised}: name one entry as choice`,
    fields: entries,
  });
}

function required<T>(value: T | undefined, pointer: string, kind: string): T {
  if (value !== undefined) return value;
  const detail = `a ${kind} certificate needs it`;
  throw new FaultError({ code: 'invalid-request', detail, fields: [{ pointer, detail }] });
}

function localRequest(request: Import, material: ImportedMaterial): MakeRequest {
  const zones = required(request.zones, '/zones', 'local');
  if (material.form !== 'private-key') {
    throw refusedPurpose(`this is ${material.recognised}; a local certificate needs its private key`);
  }
  const { alias } = request;
  if (material.chain.length === 0) {
    const { spki, pkcs8, name } = material;
    return { source: 'wrap-host-key', alias, zones, spki, privateKey: pkcs8, comment: name };
  }
  return {
    source: 'import-local',
    alias,
    zones,
    pem: toPemChain(material.chain.map(({ der }) => der)),
    privateKey: toPem('PRIVATE KEY', material.pkcs8),
  };
}

function loginRequest(request: Import, material: ImportedMaterial): MakeRequest {
  const account = required(request.account, '/account', 'login');
  const { alias } = request;
  if (material.form === 'ssh-public-key') {
    const { sources, certAuthority, validUntil } = material.options;
    if (sources !== undefined || certAuthority) {
      const detail = `the option ${certAuthority ? 'cert-authority' : 'from'} is not supported yet`;
      throw onField({ code: 'key-option-unsupported', detail }, '/data');
    }
    const end = request.validUntil ?? validUntil;
    return {
      source: 'import-ssh-public-key',
      alias,
      account,
      publicKey: sshPublicKeyLine(material.blob, material.comment),
      ...(end === undefined ? {} : { validUntil: end }),
    };
  }
  if (material.form !== 'certificates') {
    throw refusedPurpose(
      `this is ${material.recognised}; a login certificate takes a public key or a certificate`,
    );
  }
  return {
    source: 'import-login',
    alias,
    account,
    pem: toPemChain(material.chain.map(({ der }) => der)),
    match: request.match ?? 'certificate',
    anchor: request.anchor ?? 'path',
  };
}

function trustedRequest(request: Import, material: ImportedMaterial): MakeRequest {
  if (material.form !== 'certificates')
    throw refusedPurpose(`this is ${material.recognised}, not a CA certificate`);
  const [ca, ...others] = [...material.chain, ...material.extra];
  if (!ca || others.length > 0) throw refusedPurpose('import one CA certificate at a time');
  return { source: 'import-trusted', alias: request.alias, pem: toPemChain([ca.der]) };
}
