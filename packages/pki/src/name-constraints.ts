import { type Bytes, copyOf } from '@sallyport/bytes';
import type { SubjectAltName } from '@sallyport/model';
import ipaddr from 'ipaddr.js';
import { contextConstructed, DerError, DerReader, readElement, tags } from './der.ts';
import { comparableName, nameText, nameValues } from './name.ts';
import { oids } from './oids.ts';

/** A general name by the number of its kind (RFC 5280 section 4.2.1.6): 1 email, 2 DNS, 4 directory, 6 URI, 7 IP. */
export type OtherName = { readonly form: number; readonly content: Bytes };

/** The names that a CA may speak of. */
export type NameConstraints =
  | {
      readonly kind: 'read';
      readonly permitted: readonly OtherName[];
      readonly excluded: readonly OtherName[];
    }
  | { readonly kind: 'unreadable' };

/** Comparisons that one certificate may make us do, as OpenSSL bounds them. */
const mostComparisons = 100_000;

function readSubtrees(list: Bytes): OtherName[] {
  const subtrees = new DerReader(list);
  const found: OtherName[] = [];
  while (!subtrees.atEnd) {
    const fields = subtrees.inside(tags.sequence);
    const { tag, content } = fields.any();
    // `minimum` 0 is the default, which DER leaves out; others and `maximum` are not allowed.
    fields.finish();
    found.push({ form: tag & 0x1f, content: copyOf(content) });
  }
  if (found.length === 0) throw new DerError('no subtree');
  return found;
}

/**
 * Reads name constraints (RFC 5280 section 4.2.1.10). What cannot be read is no reason to call the certificate
 * malformed, but nobody may rest on it.
 */
export function readNameConstraints(value: Bytes): NameConstraints {
  try {
    const fields = new DerReader(readElement(value, tags.sequence).content);
    const permitted = fields.optional(contextConstructed(0));
    const excluded = fields.optional(contextConstructed(1));
    fields.finish();
    if (!permitted && !excluded) throw new DerError('no constraint');
    return {
      kind: 'read',
      permitted: permitted ? readSubtrees(permitted.content) : [],
      excluded: excluded ? readSubtrees(excluded.content) : [],
    };
  } catch (error) {
    if (error instanceof DerError) return { kind: 'unreadable' };
    throw error;
  }
}

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 2_048)).toLowerCase();

/** Is the host the domain or below it? A leading dot leaves the domain itself out. */
function inDomain(host: string, domain: string): boolean {
  if (domain === '') return true;
  if (domain.startsWith('.')) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

/** Hosts of mail and of URIs: exactly the host, or with a leading dot those below it. */
const hostFits = (host: string, constraint: string): boolean =>
  constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint;

function emailFits(address: string, constraint: string): boolean {
  const at = address.lastIndexOf('@');
  const [local, host] = [address.slice(0, at), address.slice(at + 1).toLowerCase()];
  const constraintAt = constraint.lastIndexOf('@');
  if (constraintAt < 0) return hostFits(host, constraint.toLowerCase());
  return (
    local === constraint.slice(0, constraintAt) && host === constraint.slice(constraintAt + 1).toLowerCase()
  );
}

/** Host of a URI; nothing where it has none or an address, which no constraint can speak of. */
function uriHost(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1];
  const host = authority?.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase();
  return host === undefined || host === '' || host.startsWith('[') || ipaddr.isValid(host) ? undefined : host;
}

function addressFits(address: readonly number[], constraint: Bytes): boolean {
  if (constraint.length !== 2 * address.length) return false;
  return address.every((octet, i) => {
    const mask = constraint[address.length + i] as number;
    return (octet & mask) === ((constraint[i] as number) & mask);
  });
}

/** A name of a certificate, and whether a constraint of its kind covers it. */
type Judged = { readonly form: number; readonly text: string; readonly fits: (constraint: Bytes) => boolean };

/** A kind of name that nobody here compares: every constraint of it counts against the certificate. */
const incomparable = Symbol('incomparable');

function ofAltName({ type, value }: SubjectAltName): Judged | typeof incomparable {
  switch (type) {
    case 'dns':
      return { form: 2, text: value, fits: (constraint) => inDomain(value.toLowerCase(), ascii(constraint)) };
    case 'email':
      return {
        form: 1,
        text: value,
        fits: (constraint) => emailFits(value, String.fromCharCode(...constraint.subarray(0, 2_048))),
      };
    case 'ip': {
      const address = ipaddr.parse(value).toByteArray();
      return { form: 7, text: value, fits: (constraint) => addressFits(address, constraint) };
    }
    case 'uri': {
      const host = uriHost(value);
      return host === undefined
        ? incomparable
        : { form: 6, text: value, fits: (constraint) => hostFits(host, ascii(constraint)) };
    }
  }
}

function ofDirectory(name: Bytes): Judged {
  const rdns = comparableName(name);
  return {
    form: 4,
    text: nameText(name),
    fits: (constraint) => {
      const base = comparableName(constraint);
      return base.length <= rdns.length && base.every((rdn, i) => rdn === rdns[i]);
    },
  };
}

type Named = {
  readonly subjectDer: Bytes;
  readonly sans: readonly SubjectAltName[];
  readonly otherNames: readonly OtherName[];
};

const constrains = (
  { permitted, excluded }: Extract<NameConstraints, { kind: 'read' }>,
  form: number,
): boolean => [...permitted, ...excluded].some((subtree) => subtree.form === form);

/**
 * Which name of a certificate is not one that its CA may speak of (RFC 5280 section 4.2.1.10)?
 *
 * @returns the name for people; nothing where all are allowed
 */
export function violatedConstraint(
  certificate: Named,
  constraints: Extract<NameConstraints, { kind: 'read' }>,
): string | undefined {
  const { permitted, excluded } = constraints;
  const { subjectDer, sans, otherNames } = certificate;
  const names: Judged[] = [];
  for (const san of sans) {
    const judged = ofAltName(san);
    if (judged !== incomparable) names.push(judged);
    else if (constrains(constraints, 6)) return `URI ${san.value}`;
  }
  for (const { form, content } of otherNames) {
    if (form === 4) names.push(ofDirectory(content));
    else if (constrains(constraints, form)) return `a name of kind ${form}`;
  }
  if (comparableName(subjectDer).length > 0) names.push(ofDirectory(subjectDer));
  if (!sans.some(({ type }) => type === 'email')) {
    for (const value of nameValues(subjectDer, oids.emailAddress)) {
      const judged = ofAltName({ type: 'email', value });
      if (judged !== incomparable) names.push(judged);
    }
  }
  if (names.length * (permitted.length + excluded.length) > mostComparisons) return 'so many names';
  try {
    const refused = names.find(({ form, fits }) => {
      const ofForm = (subtrees: readonly OtherName[]) => subtrees.filter((subtree) => subtree.form === form);
      const allowed = ofForm(permitted);
      const outside = allowed.length > 0 && !allowed.some(({ content }) => fits(content));
      return outside || ofForm(excluded).some(({ content }) => fits(content));
    });
    return refused?.text;
  } catch (error) {
    // A directory name among the constraints that is none.
    if (error instanceof DerError) return 'names by a constraint that cannot be read';
    throw error;
  }
}
