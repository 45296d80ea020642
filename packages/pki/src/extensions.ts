import { type Bytes, toHex } from '@sallyport/bytes';
import type { SubjectAltName } from '@sallyport/model';
import {
  bitString,
  booleanValue,
  contextConstructed,
  contextPrimitive,
  DerError,
  DerReader,
  oidText,
  readElement,
  smallInteger,
  tags,
} from './der.ts';
import { type NameConstraints, type OtherName, readNameConstraints } from './name-constraints.ts';
import { oids } from './oids.ts';

const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
/** A bit of the key usage extension (RFC 5280 section 4.2.1.3). */
export type KeyUsage = (typeof keyUsageNames)[number];

/** What a certificate's extensions say. Absent means that the extension is absent. */
export type CertificateExtensions = {
  readonly sans: readonly SubjectAltName[];
  /** Basic constraints say that this is a CA. */
  readonly isCa: boolean;
  /** How many intermediate certificates may stand below this CA, self-issued ones not counted. */
  readonly pathLength?: number;
  readonly keyUsage?: readonly KeyUsage[];
  /** Purposes as dotted object identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  /** Hexadecimal. */
  readonly subjectKeyId?: string;
  /** Hexadecimal. */
  readonly authorityKeyId?: string;
  /** Alternative names of the kinds that `sans` does not hold. */
  readonly otherNames: readonly OtherName[];
  /** Of a CA: the names that it may speak of. */
  readonly nameConstraints?: NameConstraints;
  /** Policies that it was issued under, as dotted object identifiers. */
  readonly policies?: readonly string[];
  /** Where the issuer answers whether it has revoked the certificate: the first http or https URL (RFC 6960). */
  readonly ocspUrl?: string;
  /** Object identifiers of the extensions that are marked critical. */
  readonly criticalExtensions: readonly string[];
};

/**
 * The extensions that are evaluated; any other one that is critical must refuse a path. Nobody here asks for a
 * policy: then whatever certificates say of policies, and of how CAs see each other's, cannot make a path invalid but
 * for policy constraints (RFC 5280 section 6.1.5).
 */
const understood: ReadonlySet<string> = new Set([
  oids.basicConstraints,
  oids.keyUsage,
  oids.extendedKeyUsage,
  oids.subjectAltName,
  oids.subjectKeyIdentifier,
  oids.authorityKeyIdentifier,
  oids.nameConstraints,
  oids.certificatePolicies,
  oids.policyMappings,
  oids.inhibitAnyPolicy,
]);

/** Critical extensions that nobody here evaluates (RFC 5280 section 4.2: reject the certificate). */
export const unknownCritical = (extensions: Pick<CertificateExtensions, 'criticalExtensions'>): string[] =>
  extensions.criticalExtensions.filter((oid) => !understood.has(oid));

function readBasicConstraints(value: Bytes): Pick<CertificateExtensions, 'isCa' | 'pathLength'> {
  const fields = new DerReader(readElement(value, tags.sequence).content);
  const ca = fields.optional(tags.boolean);
  const length = fields.optional(tags.integer);
  fields.finish();
  const isCa = ca !== undefined && booleanValue(ca);
  return { isCa, ...(isCa && length ? { pathLength: smallInteger(length) } : {}) };
}

function readKeyUsage(value: Bytes): KeyUsage[] {
  const { octets } = bitString(readElement(value, tags.bitString));
  return keyUsageNames.filter((_, bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function readPurposes(value: Bytes): string[] {
  const list = new DerReader(readElement(value, tags.sequence).content);
  const purposes: string[] = [];
  while (!list.atEnd) purposes.push(oidText(list.next(tags.oid)));
  if (purposes.length === 0) throw new DerError('extended key usage without a purpose');
  return purposes;
}

function readAuthorityKeyId(value: Bytes): string | undefined {
  const fields = new DerReader(readElement(value, tags.sequence).content);
  const id = fields.optional(contextPrimitive(0));
  fields.optional(contextConstructed(1));
  fields.optional(contextPrimitive(2));
  fields.finish();
  return id && toHex(id.content);
}

function asciiText(content: Bytes): string {
  if (content.length === 0 || content.some((octet) => octet < 0x21 || octet > 0x7e)) {
    throw new DerError('alternative name is not printable ASCII');
  }
  return Array.from(content, (octet) => String.fromCharCode(octet)).join('');
}

/** An address in its usual text form: IPv6 as RFC 5952 writes it. */
function addressText(content: Bytes): string {
  if (content.length === 4) return content.join('.');
  if (content.length !== 16) throw new DerError('address of a wrong length');
  const groups = Array.from({ length: 8 }, (_, i) => toHex(content.subarray(2 * i, 2 * i + 2)));
  // The URL standard's serializer is the one that every runtime has.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** Kinds of name that the inventory does not show (otherName, directoryName, …) are kept for name constraints. */
function readAltNames(value: Bytes): Pick<CertificateExtensions, 'sans' | 'otherNames'> {
  const list = new DerReader(readElement(value, tags.sequence).content);
  const names: SubjectAltName[] = [];
  const otherNames: OtherName[] = [];
  while (!list.atEnd) {
    const { tag, content } = list.any();
    if (tag === contextPrimitive(1)) names.push({ type: 'email', value: asciiText(content) });
    else if (tag === contextPrimitive(2)) names.push({ type: 'dns', value: asciiText(content) });
    else if (tag === contextPrimitive(6)) names.push({ type: 'uri', value: asciiText(content) });
    else if (tag === contextPrimitive(7)) names.push({ type: 'ip', value: addressText(content) });
    else otherNames.push({ form: tag & 0x1f, content });
  }
  return { sans: names, otherNames };
}

function readPolicies(value: Bytes): string[] {
  const list = new DerReader(readElement(value, tags.sequence).content);
  const policies: string[] = [];
  while (!list.atEnd) policies.push(oidText(list.inside(tags.sequence).next(tags.oid)));
  if (new Set(policies).size !== policies.length) throw new DerError('a policy is there twice');
  return policies;
}

/** Authority information access (RFC 5280 section 4.2.2.1). */
function readOcspUrl(value: Bytes): string | undefined {
  const list = new DerReader(readElement(value, tags.sequence).content);
  while (!list.atEnd) {
    const description = list.inside(tags.sequence);
    const method = oidText(description.next(tags.oid));
    const { tag, content } = description.any();
    if (method !== oids.ocsp || tag !== contextPrimitive(6)) continue;
    const url = asciiText(content);
    if (/^https?:\/\//i.test(url)) return url;
  }
  return undefined;
}

/**
 * Reads the extensions of a certificate (RFC 5280 section 4.2).
 *
 * @param list content of the Extensions sequence; nothing for a certificate without them
 * @throws DerError for a malformed or repeated extension
 */
export function readExtensions(list: Bytes | undefined): CertificateExtensions {
  const values = new Map<string, Bytes>();
  const criticalExtensions: string[] = [];
  const extensions = new DerReader(list ?? new Uint8Array(0));
  while (!extensions.atEnd) {
    const fields = extensions.inside(tags.sequence);
    const oid = oidText(fields.next(tags.oid));
    const critical = fields.optional(tags.boolean);
    const value = fields.next(tags.octetString).content;
    fields.finish();
    if (values.has(oid)) throw new DerError(`extension ${oid} is there twice`);
    values.set(oid, value);
    if (critical && booleanValue(critical)) criticalExtensions.push(oid);
  }
  const read = <T>(oid: string, reader: (value: Bytes) => T): T | undefined => {
    const value = values.get(oid);
    return value && reader(value);
  };
  const keyUsage = read(oids.keyUsage, readKeyUsage);
  const extendedKeyUsage = read(oids.extendedKeyUsage, readPurposes);
  const nameConstraints = read(oids.nameConstraints, readNameConstraints);
  const policies = read(oids.certificatePolicies, readPolicies);
  const ocspUrl = read(oids.authorityInfoAccess, readOcspUrl);
  const subjectKeyId = read(oids.subjectKeyIdentifier, (value) =>
    toHex(readElement(value, tags.octetString).content),
  );
  const authorityKeyId = read(oids.authorityKeyIdentifier, readAuthorityKeyId);
  return {
    ...(read(oids.subjectAltName, readAltNames) ?? { sans: [], otherNames: [] }),
    ...(read(oids.basicConstraints, readBasicConstraints) ?? { isCa: false }),
    ...(keyUsage === undefined ? {} : { keyUsage }),
    ...(extendedKeyUsage === undefined ? {} : { extendedKeyUsage }),
    ...(subjectKeyId === undefined ? {} : { subjectKeyId }),
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
    ...(nameConstraints === undefined ? {} : { nameConstraints }),
    ...(policies === undefined ? {} : { policies }),
    ...(ocspUrl === undefined ? {} : { ocspUrl }),
    criticalExtensions,
  };
}
