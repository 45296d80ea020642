// The library's decorators need it before anything of theirs is evaluated.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type Bytes, copyOf, sha256, toHex } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import type { SubjectAltName } from '@sallyport/model';
import { parseCertificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import { keyFacts } from './key-facts.ts';
import { type GeneratedKeyType, generateKeyPair, signingAlgorithm } from './key-pair.ts';
import { oids } from './oids.ts';

/** What an issued certificate is for. The two of SSH make a wrapper that no TLS peer accepts (design section 3). */
export type CertificatePurpose = 'tls-server' | 'tls-client' | 'ssh-client' | 'ssh-server';

/** A CA that signs: DER certificate and PKCS#8 DER private key. */
export type Issuer = { readonly certificate: Bytes; readonly privateKey: Bytes };

const purposes: Readonly<Record<CertificatePurpose, { readonly oid: string; readonly critical: boolean }>> = {
  'tls-server': { oid: oids.serverAuth, critical: false },
  'tls-client': { oid: oids.clientAuth, critical: false },
  'ssh-client': { oid: oids.secureShellClient, critical: true },
  'ssh-server': { oid: oids.secureShellServer, critical: true },
};

/** 128 random bits, positive and of full length: what CAs are held to (RFC 5280 section 4.1.2.2). */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return toHex(bytes);
}

/** Key identifier: SHA-256 of the SPKI (RFC 7093 section 2, method 4), cut to the 160 bits that every peer is used to. */
const keyId = (spki: Bytes): string => toHex(sha256(spki).subarray(0, 20));

const wholeSeconds = (date: Date): Date => new Date(Math.floor(date.getTime() / 1_000) * 1_000);

const altNameTypes = { dns: 'dns', ip: 'ip', email: 'email', uri: 'url' } as const;

function altNames(sans: readonly SubjectAltName[]): Extension[] {
  if (sans.length === 0) return [];
  for (const { type, value } of sans) {
    if (!/^[\u0021-\u007e]+$/.test(value)) {
      throw new FaultError({
        code: 'invalid-request',
        detail: `alternative name of type ${type} is not ASCII`,
      });
    }
  }
  return [
    new SubjectAlternativeNameExtension(sans.map(({ type, value }) => ({ type: altNameTypes[type], value }))),
  ];
}

/**
 * Makes a CA: a key and its self-signed certificate.
 *
 * @param pathLength how many CAs may stand below it; default 0: it signs leaves only
 * @returns DER certificate and PKCS#8 DER private key
 */
export async function createCa(ca: {
  readonly commonName: string;
  readonly keyType: GeneratedKeyType;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly pathLength?: number;
}): Promise<Issuer> {
  const keys = await generateKeyPair(ca.keyType);
  const { key, sign } = signingAlgorithm(ca.keyType);
  const signingKey = await crypto.subtle.importKey('pkcs8', keys.privateKey, key, false, ['sign']);
  const name = [{ CN: [ca.commonName] }];
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: randomSerial(),
      subject: name,
      issuer: name,
      notBefore: wholeSeconds(ca.notBefore),
      notAfter: wholeSeconds(ca.notAfter),
      publicKey: keys.spki,
      signingKey,
      signingAlgorithm: sign,
      extensions: [
        new BasicConstraintsExtension(true, ca.pathLength ?? 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        new SubjectKeyIdentifierExtension(keyId(keys.spki)),
      ],
    },
    crypto,
  );
  return { certificate: copyOf(certificate.rawData), privateKey: keys.privateKey };
}

/**
 * Signs an end-entity certificate.
 *
 * @param request `spki`: the subject's key, DER; `sans`: at least one for `tls-server`, where clients look at
 *   nothing else (RFC 9525 section 6.3)
 * @returns DER
 * @throws FaultError `certificate-purpose` (a server without a name), `invalid-request` (a name that is not ASCII),
 *   and the faults of `keyFacts` and `parseCertificate`
 */
export async function issueCertificate(request: {
  readonly issuer: Issuer;
  readonly spki: Bytes;
  readonly subject: { readonly commonName: string };
  readonly sans: readonly SubjectAltName[];
  readonly purpose: CertificatePurpose;
  readonly notBefore: Date;
  readonly notAfter: Date;
}): Promise<Bytes> {
  const { issuer, spki, sans } = request;
  if (request.purpose === 'tls-server' && sans.length === 0) {
    throw new FaultError({
      code: 'certificate-purpose',
      detail: 'a server certificate needs a subject alternative name',
    });
  }
  unwrap(keyFacts(spki));
  const parent = unwrap(parseCertificate(issuer.certificate));
  const { key, sign } = signingAlgorithm(parent.key.type);
  const signingKey = await crypto.subtle.importKey('pkcs8', issuer.privateKey, key, false, ['sign']);
  const purpose = purposes[request.purpose];
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: randomSerial(),
      subject: [{ CN: [request.subject.commonName] }],
      issuer: new X509Certificate(issuer.certificate).subjectName,
      notBefore: wholeSeconds(request.notBefore),
      notAfter: wholeSeconds(request.notAfter),
      publicKey: spki,
      signingKey,
      signingAlgorithm: sign,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([purpose.oid], purpose.critical),
        ...altNames(sans),
        new SubjectKeyIdentifierExtension(keyId(spki)),
        ...(parent.subjectKeyId === undefined
          ? []
          : [new AuthorityKeyIdentifierExtension(parent.subjectKeyId)]),
      ],
    },
    crypto,
  );
  const der = copyOf(certificate.rawData);
  const issued = unwrap(parseCertificate(der));
  if (!sameBytes(issued.issuerDer, parent.subjectDer)) throw new Error('the issuer was named in other bytes');
  return der;
}
