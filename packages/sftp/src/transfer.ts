import type { FaultCode } from '@sallyport/faults';
import type { VirtualPath } from '@sallyport/files';

/** A file that has been sent or received, or not. */
export type SftpTransfer = {
  readonly direction: 'upload' | 'download';
  readonly path: VirtualPath;
  readonly bytes: number;
  /** `cut`: the client left before the end; `failed`: the storage refused. */
  readonly outcome: 'completed' | 'cut' | 'failed';
  readonly reason?: FaultCode;
};
