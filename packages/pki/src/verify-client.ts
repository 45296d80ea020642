import type { Bytes } from '@sallyport/bytes';
import type { CertificateForm } from '@sallyport/model';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import {
  type Circumstances,
  type ClientRefusal,
  type ClientRefusalReason,
  type IssuedCheck,
  judgeLeaf,
} from './judge-certificate.ts';
import { type CertificatePath, findPaths } from './path.ts';
import { leastRsaBits } from './public-key.ts';
import { type TrustAnchors, trustAnchors } from './trust-anchors.ts';

/** What a registration is looked up by. */
export type CredentialLookup =
  | { readonly by: 'certificate'; readonly sha256: string }
  | { readonly by: 'public-key'; readonly spkiSha256: string }
  /** Both names in DER, as they stand in the certificate. */
  | { readonly by: 'issuer+subject'; readonly issuer: Uint8Array; readonly subject: Uint8Array };

/** An entry that says: this credential is that account's. */
export type Registration = {
  readonly account: string;
  /** Login name of the account. */
  readonly accountName: string;
  /** The certificate resource. */
  readonly certificate: string;
  readonly form: CertificateForm;
  readonly match: CredentialLookup['by'];
  /** `path`: a CA must vouch; `pinned`: the entry itself does, for this account alone. */
  readonly anchor: 'path' | 'pinned';
  /** SHA-256 of the registered certificate, hexadecimal. */
  readonly sha256: string;
  /** SHA-256 of the key of the intermediate CA that signed it, where that was registered with it; for `issuer+subject`. */
  readonly issuerSpkiSha256?: string | undefined;
  /** RFC 3339. */
  readonly validUntil?: string | undefined;
};

export type ClientVerdict =
  | {
      readonly kind: 'accepted';
      /** Leaf to anchor; the leaf alone where only pinned entries vouch for it. */
      readonly path: readonly ParsedCertificate[];
      /** Accounts that it is registered on; at least one. */
      readonly registrations: readonly Pick<Registration, 'account' | 'accountName' | 'certificate'>[];
    }
  | { readonly kind: 'refused'; readonly reason: ClientRefusalReason; readonly detail: string };

export type ClientVerification = {
  /** DER, the leaf first, the rest in any order: what the client sent. */
  readonly presented: readonly Bytes[];
  /** The zone's CAs: DER, or read once with `trustAnchors`. */
  readonly cas: readonly Bytes[] | TrustAnchors;
  readonly now: Date;
  isRevoked(certificate: { readonly sha256: string; readonly spkiSha256: string }): boolean;
  /** Holds every certificate of a path against the list of the CA that signed it; absent: no lists are looked at. */
  readonly checkIssued?: IssuedCheck | undefined;
  registrations(lookup: CredentialLookup): Promise<readonly Registration[]>;
};

const mostPresented = 10;
const leastRegisteredRsaBits = 1_024;

type Presented = { readonly leaf: ParsedCertificate; readonly others: readonly ParsedCertificate[] };

function readPresented(presented: readonly Bytes[]): Presented | ClientRefusal {
  if (presented.length > mostPresented) {
    return { reason: 'too-many-certificates', detail: `${presented.length}; at most ${mostPresented}` };
  }
  const others: ParsedCertificate[] = [];
  let leaf: ParsedCertificate | undefined;
  for (const [at, der] of presented.entries()) {
    // A weak key counts where it is registered itself, and a zone takes such keys; no CA has one.
    const read = parseCertificate(der, at === 0 ? leastRegisteredRsaBits : undefined);
    if (read.ok) {
      if (at === 0) leaf = read.value;
      else if (!others.some(({ sha256 }) => sha256 === read.value.sha256)) others.push(read.value);
      continue;
    }
    const { code, detail = code } = read.fault;
    // A CA with a key of another kind may be on its way to somebody else; it only takes no part here.
    if (code === 'key-unsupported' && at > 0) continue;
    return {
      reason: code === 'key-unsupported' ? 'key-unsupported' : 'malformed',
      detail: `certificate ${at}: ${detail}`,
    };
  }
  return leaf ? { leaf, others } : { reason: 'malformed', detail: 'no certificate' };
}

/** Does a path make this entry count? `match` has already been held against how the entry was found. */
function vouchedByPath(
  { match, anchor, issuerSpkiSha256 }: Registration,
  paths: readonly CertificatePath[],
  leaf: ParsedCertificate,
  anchors: TrustAnchors,
): boolean {
  if (anchor !== 'path') return false;
  if (match !== 'issuer+subject') return paths.length > 0;
  // A name means nothing but what its CA says. Where a trusted CA bears the issuer's name, that CA must stand at
  // the end of the path: another trusted CA could sign an intermediate of the same name and take over its clients.
  // Below an intermediate that is no anchor it is the key of the registered one that counts, for the same reason.
  if (anchors.named(leaf.issuerDer).length === 0) {
    return paths.some(([, issuer]) => issuer !== undefined && issuer.key.spkiSha256 === issuerSpkiSha256);
  }
  return paths.some((path) => sameBytes((path.at(-1) as ParsedCertificate).subjectDer, leaf.issuerDer));
}

const isWeak = ({ key }: ParsedCertificate): boolean => key.type === 'rsa' && key.bits < leastRsaBits;

async function countingRegistrations(
  leaf: ParsedCertificate,
  paths: readonly CertificatePath[],
  anchors: TrustAnchors,
  input: Pick<ClientVerification, 'now' | 'registrations'>,
): Promise<readonly Registration[]> {
  const lookups: readonly CredentialLookup[] = [
    { by: 'certificate', sha256: leaf.sha256 },
    { by: 'public-key', spkiSha256: leaf.key.spkiSha256 },
    { by: 'issuer+subject', issuer: leaf.issuerDer, subject: leaf.subjectDer },
  ];
  const found = await Promise.all(
    lookups.map(async (lookup) =>
      (await input.registrations(lookup)).filter((registration) => registration.match === lookup.by),
    ),
  );
  return found.flat().filter((registration) => {
    const { form, match, anchor, sha256, validUntil } = registration;
    if (form !== 'x509') return false;
    if (match === 'issuer+subject' && isWeak(leaf)) return false;
    // Written so that a text that is no time ends the entry.
    if (validUntil !== undefined && !(Date.parse(validUntil) > input.now.getTime())) return false;
    if (match === 'certificate' && sha256 !== leaf.sha256) return false;
    const pinned = anchor === 'pinned' && match !== 'issuer+subject';
    return pinned || vouchedByPath(registration, paths, leaf, anchors);
  });
}

/**
 * Judges an X.509 client credential whose holder the TLS handshake has proved: the only judge there is
 * (design section 4). It builds its own paths over all candidates, checks validity, revocation and purpose of
 * every certificate, and looks for the accounts that the certificate is registered on. A certificate that an
 * account has pinned needs no path, and counts for that account alone.
 *
 * It never throws on what a client sent; it rejects only where `registrations` does.
 *
 * @returns `accepted` with at least one account, or `refused` with the exact reason for the audit log
 */
export async function verifyClient(input: ClientVerification): Promise<ClientVerdict> {
  const refused = ({ reason, detail }: ClientRefusal): ClientVerdict => ({ kind: 'refused', reason, detail });
  const read = readPresented(input.presented);
  if ('reason' in read) return refused(read);
  const { leaf, others } = read;
  const circumstances: Circumstances = input;
  const fault = judgeLeaf(leaf, circumstances);
  if (fault) return refused(fault);

  const anchors = 'named' in input.cas ? input.cas : trustAnchors(input.cas);
  const { paths, refusal, leafRevoked } = await findPaths(leaf, others, anchors, circumstances);
  // Pinning makes up for a CA that nobody trusts, not for what a trusted CA says against its own certificate.
  if (leafRevoked) return refused(leafRevoked);
  const counting = await countingRegistrations(leaf, paths, anchors, input);
  const [path] = paths;
  if (counting.length === 0) {
    return refused(path ? { reason: 'unregistered', detail: `${leaf.subject} is on no account` } : refusal);
  }
  return {
    kind: 'accepted',
    path: path ?? [leaf],
    registrations: counting.map(({ account, accountName, certificate }) => ({
      account,
      accountName,
      certificate,
    })),
  };
}
