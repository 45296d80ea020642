// What a runtime serves so that a test can look at what it gives out.
import { type Bytes, toBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import {
  createCa,
  encryptedPkcs8,
  fingerprints,
  type GeneratedKeyType,
  generateKeyPair,
  type ImportedMaterial,
  importKeyMaterial,
  issueCertificate,
  keyFacts,
  opensshPrivateKey,
  pkcs12File,
  rfc4716PublicKey,
  sshBlobOf,
  sshfpRecord,
  sshPublicKeyLine,
} from '@sallyport/pki';

/** Which key to make, and what its files are given out under. */
export type ExportJob = {
  readonly type: GeneratedKeyType;
  readonly passphrase: string;
  readonly friendlyName: string;
};

/** What an imported file says of itself, in a form that travels. */
const told = (material: ImportedMaterial): Readonly<Record<string, unknown>> =>
  material.form === 'private-key'
    ? {
        form: material.form,
        name: material.name,
        spki: toBase64(material.spki),
        pkcs8: toBase64(material.pkcs8),
        chain: material.chain.map(({ sha256 }) => sha256),
      }
    : { form: material.form };

/** A file that was given out, and what it says when it is brought back. */
async function givenOut(file: Bytes, password?: string) {
  return { base64: toBase64(file), back: told(unwrap(await importKeyMaterial(file, { password }))) };
}

/** Makes a key with its certificate and gives both out in every form. */
export async function exportJob({ type, passphrase, friendlyName }: ExportJob) {
  const validity = {
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 86_400_000),
  };
  const ca = await createCa({ commonName: 'Export CA', keyType: 'ecdsa-p384', ...validity });
  const { privateKey, spki } = await generateKeyPair(type);
  const certificate = await issueCertificate({
    issuer: ca,
    spki,
    subject: { commonName: 'export', country: 'DE' },
    sans: [{ type: 'dns', value: 'gate.example' }],
    purpose: 'tls-server',
    ...validity,
  });
  const blob = unwrap(sshBlobOf(spki));
  const chain = [certificate, ca.certificate];
  return {
    privateKey: toBase64(privateKey),
    spki: toBase64(spki),
    certificate: toBase64(certificate),
    ca: toBase64(ca.certificate),
    pkcs8: await givenOut(privateKey),
    pbkdf2: await givenOut(await encryptedPkcs8(privateKey, passphrase, 'pbkdf2'), passphrase),
    scrypt: await givenOut(await encryptedPkcs8(privateKey, passphrase, 'scrypt'), passphrase),
    pkcs12: await givenOut(await pkcs12File({ privateKey, chain, friendlyName }, passphrase), passphrase),
    openssh: await givenOut(utf8(await opensshPrivateKey(privateKey, 'mine'))),
    opensshLocked: await givenOut(utf8(await opensshPrivateKey(privateKey, 'mine', passphrase)), passphrase),
    line: sshPublicKeyLine(blob, 'mine'),
    bareLine: sshPublicKeyLine(blob),
    rfc4716: rfc4716PublicKey(blob, `a comment that is long ${'x'.repeat(100)}`),
    sshfp: sshfpRecord('gate.example', blob),
    facts: unwrap(keyFacts(spki)),
    keyFingerprints: fingerprints(blob),
    certificateFingerprints: fingerprints(certificate),
  };
}
export type Exported = Awaited<ReturnType<typeof exportJob>>;

/** Answers one export. */
export async function serveExports(request: Request): Promise<Response> {
  if (request.method !== 'POST') return new Response('ready');
  return Response.json(await exportJob((await request.json()) as ExportJob));
}

export default { fetch: serveExports };
