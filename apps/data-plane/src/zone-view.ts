import type { Bytes } from '@sallyport/bytes';
import type { AlgorithmLists, FtpServer, HttpServer, PassiveRange, SshServer } from '@sallyport/model';
import type { RevocationRule } from '@sallyport/pki';
import type { EffectivePolicy } from '@sallyport/policy';
import type { AccountRecord, Registration } from '@sallyport/snapshot/node';
import type { TrustView } from './trust-view.ts';

/** A certificate that a server presents, with the private key this node was given for it. */
export type Identity = {
  /** The certificate resource. */
  readonly id: string;
  /** DER, leaf first. */
  readonly chain: readonly Bytes[];
  /** PKCS#8 DER. */
  readonly privateKey: Bytes;
  readonly keyType: 'rsa' | 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'ed25519';
  /** DER of an OCSP response to staple until its end, in milliseconds since the epoch. */
  readonly ocsp?: { readonly response: Bytes; readonly endsAt: number };
};

/** A listener as this node runs it: the server of the zone with this node's overrides applied. */
export type RunningServer<S = SshServer | FtpServer | HttpServer> = {
  readonly server: S;
  readonly identities: readonly Identity[];
  /** The lists of its algorithm policy. */
  readonly algorithms: AlgorithmLists;
  /** Set by a node override; they win over the server's own. */
  readonly passiveAddress?: string;
  readonly passiveRange?: PassiveRange;
};

/** A registered client credential, looked up by what the client proved. */
export type CredentialLookup =
  | { readonly by: 'certificate'; readonly sha256: string }
  | { readonly by: 'public-key'; readonly spkiSha256: string }
  /** Both names in DER, as they stand in the certificate. */
  | { readonly by: 'issuer+subject'; readonly issuer: Uint8Array; readonly subject: Uint8Array };

/** A CA and its list; `id` is that of the CA. */
export type CrlRule = RevocationRule & { readonly id: string };

/**
 * One verified snapshot, as the node reads it. Immutable: a change is another view.
 * A login takes the current view once and works on it to its end.
 */
export interface ZoneView {
  readonly zone: string;
  readonly version: number;
  readonly servers: readonly RunningServer[];
  readonly policy: EffectivePolicy;
  readonly trust: TrustView;
  isRevoked(certificate: { readonly sha256: string; readonly spkiSha256: string }): boolean;
  /** Is the OpenSSH certificate revoked by itself? `serial` in decimal. */
  isSshCertificateRevoked(certificate: { readonly caFingerprint: string; readonly serial: string }): boolean;
  /** CAs whose certificates are checked against a revocation list, with the lists. */
  readonly crlRules: readonly CrlRule[];
  /** @param name the login name as the client sent it */
  accountNamed(name: string): Promise<AccountRecord | undefined>;
  registrationsOf(lookup: CredentialLookup): Promise<readonly Registration[]>;
}
