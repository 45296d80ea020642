import { type Bytes, toBase64Url } from '@sallyport/bytes';

/** A new id: what it names, and 120 random bits. */
export const newId = (kind: string, randomBytes: (length: number) => Bytes): string =>
  `${kind}_${toBase64Url(randomBytes(15))}`;
