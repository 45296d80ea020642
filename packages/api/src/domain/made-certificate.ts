import type { CertificateRow } from '@sallyport/store';
import type { FileAnswer } from './key-file.ts';

/** A certificate that is not written yet, and what its request said of it. */
export type MadeCertificate = {
  readonly row: CertificateRow;
  /** JSON pointer of the field that the key came in; the alias where it was made here. */
  readonly pointer: string;
  /** The internal CA that signed it: it must still be one when the row is written. */
  readonly issuedBy?: string;
  /** The private key, for its holder: answered once. */
  readonly handedOut?: FileAnswer;
};
