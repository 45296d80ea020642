import type { VirtualPath } from '@sallyport/files';

/** The digests of HASH, by the names that draft-bryan-ftpext-hash gives them. */
export const hashAlgorithms = ['SHA-256', 'SHA-512'] as const;
export type HashAlgorithm = (typeof hashAlgorithms)[number];

/** A file, or the part of it from one byte up to another, that is to be hashed. */
export type HashRequest = {
  readonly asked: 'HASH' | 'XSHA256';
  readonly algorithm: HashAlgorithm;
  readonly path: VirtualPath;
  readonly from: number;
  /** Exclusive; the end of the file where it is left out. */
  readonly to?: number;
};
