import type { FileSystem } from '@sallyport/files';
import type { ServerProtocol } from '@sallyport/model';
import type { ProofKind } from '@sallyport/policy';

/** Why a session was ended from our side. */
export type EndReason =
  | 'account-gone'
  | 'account-disabled'
  | 'account-locked'
  | 'password-changed'
  | 'credential-gone'
  | 'second-factor-gone'
  | 'server-gone'
  | 'home-changed'
  | 'drained'
  | 'ended-by-operator'
  | 'service-refusing'
  | 'idle'
  | 'shutdown';

/** A finished or broken transfer, for the event log. */
export type TransferReport = {
  readonly direction: 'upload' | 'download';
  readonly path: string;
  readonly bytes: number;
  readonly outcome: 'completed' | 'cut' | 'failed';
  readonly reason?: string;
};

/** The part of what admitted a session that crosses from process to process. It holds what the account holds, and goes to no disk. */
export type PlainAdmission = {
  readonly protocol: ServerProtocol;
  readonly server: string;
  readonly source: string;
  readonly channel: 'encrypted' | 'clear';
  readonly account: { readonly id: string; readonly name: string; readonly normalizedName: string };
  readonly userClass: string | undefined;
  readonly proofs: readonly ProofKind[];
  /** PHC string that the password was verified against. */
  readonly passwordHash: string | undefined;
  /** Secret of the second factor that the code was of. */
  readonly secondFactor: string | undefined;
  /** Fingerprint of the SSH key that was proved, or the certificate of the inventory. */
  readonly credential?: string | undefined;
  readonly certificate?: string | undefined;
  /** Folder that the files were opened in. */
  readonly home: string;
  readonly maxSessions: number;
};

/** A permitted login while it lasts. */
export interface Session {
  readonly id: string;
  readonly protocol: ServerProtocol;
  readonly server: string;
  readonly account: { readonly id: string; readonly name: string };
  /** Id of the account's user class when it logged in. */
  readonly userClass: string | undefined;
  readonly source: string;
  readonly proofs: readonly ProofKind[];
  /** The folder of the account's files, as its record names it: accounts may share one. */
  readonly home?: string;
  /** What another process of the node needs to serve it as well; absent where it cannot be. */
  readonly admission?: PlainAdmission;
  /** The account's files, with its permissions of the moment already enforced on every call. */
  readonly files: FileSystem;
  /** Aborted when the session must end at once; `reason` is an EndReason. The adapter closes its connection. */
  readonly ended: AbortSignal;
  /** False once the server drains: a running transfer may finish, every new operation is refused. */
  readonly admitsOperations: () => boolean;
  report(transfer: TransferReport): void;
  /** The connection is gone; called once by the adapter. */
  close(): void;
}
