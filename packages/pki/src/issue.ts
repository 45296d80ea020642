// The library's decorators need it before anything of theirs is evaluated.
import 'reflect-metadata';
import { CRLDistributionPointsExtension } from '@peculiar/x509';
import { type Bytes, copyOf } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import type { KeyType, SubjectAltName } from '@sallyport/model';
import { altNames } from './alt-names.ts';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import { contextConstructed, encode, encodeInteger, encodePositiveInteger, encodeTime, tags } from './der.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
} from './issued-extensions.ts';
import { keyFacts } from './key-facts.ts';
import { type GeneratedKeyType, generateKeyPair, type KeyPair } from './key-pair.ts';
import { oids } from './oids.ts';
import { signatureIdentifier, signedDer } from './sign.ts';
import { verifySignature } from './signature.ts';
import { encodeSubject, type SubjectName } from './subject.ts';

/**
 * What an issued certificate is for. The two of SSH make a wrapper that no TLS peer accepts (design section 3);
 * `ca` signs others.
 */
export type CertificatePurpose = 'tls-server' | 'tls-client' | 'ssh-client' | 'ssh-server' | 'ca';

/** A CA that signs: DER certificate and PKCS#8 DER private key. */
export type Issuer = { readonly certificate: Bytes; readonly privateKey: Bytes };

/** What a certificate says. */
export type CertificateContent = {
  /** Its parts, or a whole Name in DER that goes on as it is. */
  readonly subject: SubjectName | { readonly der: Bytes };
  readonly sans: readonly SubjectAltName[];
  readonly purpose: CertificatePurpose;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** For a `ca`: how many CAs may stand below it; default 0: it signs leaves only. */
  readonly pathLength?: number | undefined;
  /** Where the issuer publishes its revocation list: an http or https URL. */
  readonly crlUrl?: string | undefined;
};

type EndEntity = Exclude<CertificatePurpose, 'ca'>;
const purposes: Readonly<Record<EndEntity, { readonly oid: string; readonly critical: boolean }>> = {
  'tls-server': { oid: oids.serverAuth, critical: false },
  'tls-client': { oid: oids.clientAuth, critical: false },
  'ssh-client': { oid: oids.secureShellClient, critical: true },
  'ssh-server': { oid: oids.secureShellServer, critical: true },
};

/** 128 random bits, positive and of full length: what CAs are held to (RFC 5280 section 4.1.2.2). */
function randomSerial(): Bytes {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes;
}

const hexBytes = (hex: string): Bytes =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const refused = (code: 'certificate-purpose' | 'invalid-request' | 'key-mismatch', detail: string) =>
  new FaultError({ code, detail });

/** Basic constraints, key usage and extended key usage of a purpose (RFC 5280 section 4.2.1). */
function purposeExtensions({ purpose, pathLength }: CertificateContent, keyType: KeyType): Bytes[] {
  if (purpose === 'ca') {
    return [basicConstraints({ ca: true, pathLength: pathLength ?? 0 }), keyUsage('keyCertSign', 'cRLSign')];
  }
  const { oid, critical } = purposes[purpose];
  return [
    basicConstraints({ ca: false }),
    // TLS 1.2 without forward secrecy encrypts to the server's RSA key; old clients look for the bit.
    purpose === 'tls-server' && keyType === 'rsa'
      ? keyUsage('digitalSignature', 'keyEncipherment')
      : keyUsage('digitalSignature'),
    extendedKeyUsage(oid, critical ? 'critical' : 'not-critical'),
  ];
}

function checkContent({ purpose, sans, notBefore, notAfter }: CertificateContent): void {
  if (purpose === 'tls-server' && sans.length === 0) {
    throw refused('certificate-purpose', 'a server certificate needs a subject alternative name');
  }
  // Written so that a date that is none refuses too.
  if (!(notBefore < notAfter)) throw refused('invalid-request', 'validity ends before it begins');
}

/** Signs a certificate by a key; `issuer` is absent for a self-signed one. */
async function sign(
  content: CertificateContent,
  spki: Bytes,
  signer: {
    readonly privateKey: Bytes;
    readonly keyType: KeyType;
    readonly issuer?: ParsedCertificate;
    readonly leastRsaBits?: number | undefined;
  },
): Promise<Bytes> {
  checkContent(content);
  const keyType = unwrap(keyFacts(spki, signer.leastRsaBits)).type;
  const subject = 'der' in content.subject ? content.subject.der : unwrap(encodeSubject(content.subject));
  const { issuer } = signer;
  const extensions = [
    ...purposeExtensions(content, keyType),
    ...altNames(content.sans).map(({ rawData }) => copyOf(rawData)),
    subjectKeyIdentifier(spki),
    ...(issuer?.subjectKeyId === undefined ? [] : [authorityKeyIdentifier(hexBytes(issuer.subjectKeyId))]),
    ...(content.crlUrl === undefined
      ? []
      : [copyOf(new CRLDistributionPointsExtension([content.crlUrl]).rawData)]),
  ];
  const tbs = encode(
    tags.sequence,
    encode(contextConstructed(0), encodeInteger(2)),
    encodePositiveInteger(randomSerial()),
    signatureIdentifier(signer.keyType),
    issuer?.subjectDer ?? subject,
    encode(tags.sequence, encodeTime(content.notBefore), encodeTime(content.notAfter)),
    subject,
    spki,
    encode(contextConstructed(3), encode(tags.sequence, ...extensions)),
  );
  const der = await signedDer(tbs, signer.privateKey, signer.keyType);
  // Read back as everybody else will read it, and held to the key that is to vouch for it.
  const issued = unwrap(parseCertificate(der, signer.leastRsaBits));
  const signerKey = issuer?.spki ?? spki;
  if (!(await verifySignature(issued.signatureAlgorithm, signerKey, issued.tbs, issued.signature))) {
    throw refused('key-mismatch', 'the private key of the issuer is not of its certificate');
  }
  return der;
}

/**
 * Makes a self-signed certificate of a key.
 *
 * @param keys PKCS#8 and SPKI, both DER
 * @returns DER
 * @throws FaultError as `issueCertificate`
 */
export async function selfSignedCertificate(keys: KeyPair, content: CertificateContent): Promise<Bytes> {
  return sign(content, keys.spki, {
    privateKey: keys.privateKey,
    keyType: unwrap(keyFacts(keys.spki)).type,
  });
}

/**
 * Makes a CA: a key and its self-signed certificate.
 *
 * @param ca `commonName` or a whole `subject`; `pathLength` as in `CertificateContent`
 * @returns DER certificate and PKCS#8 DER private key
 */
export async function createCa(
  ca: {
    readonly keyType: GeneratedKeyType;
    readonly notBefore: Date;
    readonly notAfter: Date;
    readonly pathLength?: number;
  } & ({ readonly commonName: string } | { readonly subject: SubjectName }),
): Promise<Issuer> {
  const keys = await generateKeyPair(ca.keyType);
  const { notBefore, notAfter, pathLength } = ca;
  const subject = 'subject' in ca ? ca.subject : { commonName: ca.commonName };
  const content = { subject, sans: [], purpose: 'ca', notBefore, notAfter, pathLength } as const;
  return { certificate: await selfSignedCertificate(keys, content), privateKey: keys.privateKey };
}

/** May this CA sign a certificate with that content (RFC 5280 section 4.2.1.9)? */
function checkIssuer(
  { isCa, keyUsage, pathLength, subject }: ParsedCertificate,
  content: CertificateContent,
): void {
  if (!isCa || (keyUsage && !keyUsage.includes('keyCertSign'))) {
    throw refused('certificate-purpose', `${subject} is no CA`);
  }
  if (content.purpose === 'ca' && pathLength !== undefined && (content.pathLength ?? 0) >= pathLength) {
    throw refused('certificate-purpose', `${subject} allows ${pathLength} CAs below it`);
  }
}

/**
 * Signs a certificate: an end entity's, or that of a CA below the issuer.
 *
 * @param request `spki`: the subject's key, DER; `sans`: at least one for `tls-server`, where clients look at
 *   nothing else (RFC 9525 section 6.3); `leastRsaBits` of that key, default 2048
 * @returns DER
 * @throws FaultError `certificate-purpose` (a server without a name, an issuer that is no CA or allows no CA below
 *   it), `invalid-request` (a name or a validity that cannot be), `key-mismatch` (the issuer's key is none of its
 *   certificate), and the faults of `keyFacts` and `parseCertificate`
 */
export async function issueCertificate(
  request: CertificateContent & {
    readonly issuer: Issuer;
    readonly spki: Bytes;
    readonly leastRsaBits?: number;
  },
): Promise<Bytes> {
  const { issuer, spki, leastRsaBits, ...content } = request;
  checkContent(content);
  const parent = unwrap(parseCertificate(issuer.certificate));
  checkIssuer(parent, content);
  return sign(content, spki, {
    privateKey: issuer.privateKey,
    keyType: parent.key.type,
    issuer: parent,
    leastRsaBits,
  });
}
