import type { FaultCode } from '@sallyport/faults';
import type { SshCertificate } from '@sallyport/pki';
import type { CredentialFact, ProofKind } from '@sallyport/policy';
import type { EventDetail } from './event-detail.ts';
import type { Session } from './session.ts';
import type { ZoneView } from './zone-view.ts';

/** What a login attempt came to; nothing more may be told to the client. */
export type LoginOutcome =
  | { readonly kind: 'admitted'; readonly session: Session }
  | { readonly kind: 'continue'; readonly missing: readonly ProofKind[]; readonly partial: boolean }
  | { readonly kind: 'refused'; readonly fault: FaultCode };

/** Would the credential that a session rests on still log that account in, under a later snapshot? */
export type CredentialStands = (view: ZoneView, account: string) => Promise<boolean>;

/** One connection's way in. It remembers the proofs of one user name and forgets them when the name changes. */
export interface LoginAttempt {
  /** A user was named and nothing new was proved: what would be needed? Never refuses for the name alone. */
  name(user: string): Promise<LoginOutcome>;
  /**
   * Judges a password; takes the time of a hash whether or not the account exists. Every refusal of a proof is answered
   * no sooner than the zone's lock-out settings say, on every protocol.
   */
  password(user: string, password: string): Promise<LoginOutcome>;
  /**
   * Judges the code of a second factor, which follows a verified password or a proved credential: before one of those
   * it is not looked at.
   */
  secondFactor(user: string, code: string): Promise<LoginOutcome>;
  /** A signature did not verify under the key that it came with: it counts as a failure. Answer it afterwards. */
  badSignature(user: string): Promise<void>;
  /** Is this SSH key registered on the account and valid now? For the query before a signature (RFC 4252 section 7). */
  knowsSshKey(user: string, keyBlob: Uint8Array, certificate?: SshCertificate): Promise<boolean>;
  /**
   * An SSH key whose signature over the session the adapter has verified.
   *
   * @param certificate the OpenSSH certificate that the key came in: then that is judged, and not the key alone
   */
  sshKey(user: string, keyBlob: Uint8Array, certificate?: SshCertificate): Promise<LoginOutcome>;
  /**
   * The judged client certificate of this TLS connection; set once, after the handshake.
   *
   * @param stands judges the same certificate again later, for the sessions that rest on it
   */
  tlsCredential(fact: CredentialFact, stands?: CredentialStands): void;
}

/** Where a connection came in. */
export type Doorway = {
  /** Id of the server whose listener accepted it. */
  readonly server: string;
  /** IP address of the client. */
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  /** Facts of the connection that every login record of it carries; asked when it is written. */
  readonly detail?: () => EventDetail;
};

/** Opens login attempts against the snapshot current at each call. */
export interface LoginDesk {
  open(doorway: Doorway): LoginAttempt;
}
