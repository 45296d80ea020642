import { type Bytes, utf8 } from '@sallyport/bytes';
import { ok, type Result, refuseField } from '@sallyport/faults';
import { encode, encodeOid, tags } from './der.ts';
import { oids } from './oids.ts';

/** Who or what a certificate is about. Texts of one line; `country` has two letters (ISO 3166). */
export type SubjectName = {
  readonly commonName: string;
  readonly organization?: string | undefined;
  readonly organizationalUnit?: string | undefined;
  readonly locality?: string | undefined;
  readonly state?: string | undefined;
  readonly country?: string | undefined;
};

type Part = keyof SubjectName;

/** From the least to the most specific, as the directory's tree goes; the bounds are X.520's (RFC 5280 appendix A). */
const parts: readonly { readonly part: Part; readonly oid: string; readonly most: number }[] = [
  { part: 'country', oid: oids.countryName, most: 2 },
  { part: 'state', oid: oids.stateName, most: 128 },
  { part: 'locality', oid: oids.localityName, most: 128 },
  { part: 'organization', oid: oids.organizationName, most: 64 },
  { part: 'organizationalUnit', oid: oids.organizationalUnitName, most: 64 },
  { part: 'commonName', oid: oids.commonName, most: 64 },
];

/**
 * DER Name of a subject: one attribute in each RDN, UTF8String but for the country (RFC 5280 section 4.1.2.4).
 *
 * @returns the name; `invalid-request` that points to a part which is empty, too long or has control characters
 */
export function encodeSubject(subject: SubjectName): Result<Bytes> {
  const rdns: Bytes[] = [];
  for (const { part, oid, most } of parts) {
    const value = subject[part];
    if (value === undefined) continue;
    const wrong = (detail: string): Result<never> =>
      refuseField('invalid-request', `/subject/${part}`, `${part} ${detail}`);
    if (value === '' || [...value].length > most) return wrong(`has 1 to ${most} characters`);
    if (/\p{Cc}|\p{Cs}/u.test(value)) return wrong('has control characters');
    if (part === 'country' && !/^[A-Z]{2}$/.test(value)) return wrong('has two capital letters');
    const text = encode(part === 'country' ? tags.printableString : tags.utf8String, utf8(value));
    rdns.push(encode(tags.set, encode(tags.sequence, encodeOid(oid), text)));
  }
  return ok(encode(tags.sequence, ...rdns));
}
