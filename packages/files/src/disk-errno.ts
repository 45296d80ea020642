import { type FaultCode, type Result, refuse } from '@sallyport/faults';

const codes: Readonly<Record<string, FaultCode>> = {
  ENOENT: 'file-not-found',
  EEXIST: 'file-exists',
  ENOTDIR: 'not-a-directory',
  EISDIR: 'is-a-directory',
  ENOTEMPTY: 'directory-not-empty',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  EROFS: 'permission-denied',
  ELOOP: 'permission-denied',
  // A socket or a FIFO without a peer, met by a non-blocking open.
  ENXIO: 'permission-denied',
  ENAMETOOLONG: 'path-invalid',
  // A name with bytes that the file system does not take.
  EILSEQ: 'path-invalid',
  ENOSPC: 'storage-full',
  EDQUOT: 'storage-full',
  EFBIG: 'storage-full',
  EMFILE: 'handle-limit',
  ENFILE: 'handle-limit',
};

/** The errno name of a system error (`ENOENT`), or nothing where the value is no system error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : undefined;
}

/**
 * The refusal that a system error stands for. Its detail is the errno alone: the message of the error
 * names folders of the host. Anything but a system error is a bug and is thrown on.
 */
export function refusalOf(error: unknown): Result<never> {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return refuse(codes[errno] ?? 'storage-failed', errno);
}

/** Runs system calls; their errors come back as refusals. */
export async function trySystem<T>(calls: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await calls();
  } catch (error) {
    return refusalOf(error);
  }
}
