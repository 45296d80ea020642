import { type Bytes, concat, fromBase64, sha256Hex, utf8 } from '@sallyport/bytes';
import { type TrustAnchors, trustAnchors } from '@sallyport/pki';
import type { TrustSection } from '@sallyport/snapshot/node';

/** A CA of OpenSSH certificates; `sources`: networks that its certificates may log in from, anywhere where it is absent. */
export type SshCa = {
  readonly id: string;
  readonly key: Bytes;
  readonly sources?: readonly string[] | undefined;
};

/** The CAs of a zone, as one snapshot tells them. Those that were retired stop to vouch by the clock. */
export type TrustView = {
  /**
   * CAs whose client certificates are judged.
   *
   * @param now milliseconds since the epoch
   */
  anchorsAt(now: number): TrustAnchors;
  /** CAs whose OpenSSH user certificates are judged, with their SSH key blobs. */
  sshCasAt(now: number): readonly SshCa[];
  /** Those CAs that a CertificateRequest names, DER. */
  readonly advertised: readonly Bytes[];
  /** SHA-256 in hex over all CAs: changes when trust does. */
  readonly digest: string;
};

type Ending = { readonly trustedUntil?: string | undefined };

/** Written so that a text that is no time ends the trust. */
const lasts = ({ trustedUntil }: Ending, now: number): boolean =>
  trustedUntil === undefined || Date.parse(trustedUntil) > now;

/** Reads the trust of a snapshot, once for all its logins. */
export function trustView(trust: TrustSection): TrustView {
  const cas = trust.cas.map((ca) => ({ ...ca, der: fromBase64(ca.der) }));
  const sshCas = trust.sshCas.map((ca) => ({ ...ca, key: fromBase64(ca.key) }));
  const anchors = trustAnchors(cas.map(({ der }) => der));
  const ending = cas.filter(({ trustedUntil }) => trustedUntil !== undefined);
  const ends = new Map(ending.map((ca) => [sha256Hex(ca.der), ca]));
  return {
    anchorsAt(now) {
      if (ends.size === 0) return anchors;
      const standing = ({ sha256 }: { readonly sha256: string }) => lasts(ends.get(sha256) ?? {}, now);
      return { named: (subjectDer) => anchors.named(subjectDer).filter(standing) };
    },
    sshCasAt: (now) => sshCas.filter((ca) => lasts(ca, now)),
    advertised: cas.filter(({ advertise }) => advertise).map(({ der }) => der),
    digest: sha256Hex(concat(...cas.map(({ der }) => utf8(`${sha256Hex(der)}\n`)))),
  };
}
