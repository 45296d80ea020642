import type { LockoutCounter } from '@sallyport/model';
import type { Doorway } from './login.ts';
import type { SshCertificateFacts } from './ssh-certificate-login.ts';

/** A login that was permitted or refused, for the event log: the exact reason, never a secret. */
export type LoginRecord = {
  readonly doorway: Doorway;
  readonly user: string;
  readonly outcome: 'permitted' | 'refused';
  readonly reason: string;
  readonly session?: string;
  readonly certificate?: string;
  /** Fingerprint of the SSH key that was proved. */
  readonly credential?: string;
  /** Version of the snapshot that decided. */
  readonly version: number;
  readonly sshCertificate?: SshCertificateFacts;
  /** Which counter locked the login out. */
  readonly lockout?: LockoutCounter;
};
