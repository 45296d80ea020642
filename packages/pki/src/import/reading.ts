import { type Bytes, concat, utf8 } from '@sallyport/bytes';
import { type FaultCode, FaultError } from '@sallyport/faults';
import type { AuthorizedKey } from '../authorized-key.ts';
import type { ParsedCertificate } from '../certificate.ts';
import type { WorkBudget } from '../kdf/work-budget.ts';
import type { PrivateKey } from '../private-key.ts';
import type { SshCertificate } from '../ssh-certificate.ts';

/** One import under way: what its readers are given, and what they have recognised until now. */
export type Reading = {
  readonly password: string | undefined;
  readonly budget: WorkBudget;
  /** Least bits of an RSA key. */
  readonly leastRsaBits: number;
  /** What the bytes are, for people: set by a reader as soon as it knows. */
  recognised: string;
};

/** A private key with the name that its file gives it. */
export type NamedPrivateKey = PrivateKey & { readonly name: string };

/** What was found in the bytes; what is absent was not there. */
export type Contents = {
  readonly certificates?: readonly ParsedCertificate[];
  readonly privateKeys?: readonly NamedPrivateKey[];
  readonly publicKeys?: readonly AuthorizedKey[];
  readonly sshCertificates?: readonly { readonly certificate: SshCertificate; readonly comment: string }[];
};

/** Unwinds a reader; caught at the entry of the import. */
export const refusal = (code: FaultCode, detail: string): FaultError => new FaultError({ code, detail });

/** The password of an encrypted part; throws FaultError `key-password-required`. An empty one is none. */
export function neededPassword({ password }: Reading): string {
  if (password === undefined || password === '') throw refusal('key-password-required', 'it is encrypted');
  return password;
}

/** A password that did not open a part, or bytes that were changed since they were encrypted. */
export const wrongPassword = (): FaultError =>
  refusal('key-password-wrong', 'the password is wrong, or the file is damaged');

/** A password in both of the forms that password-based encryption takes. */
export type PasswordForms = {
  readonly utf8: Bytes;
  /** BMPString with its terminator (RFC 7292 appendix B.1). */
  readonly bmp: Bytes;
};

/** Both forms of a password; code units beyond the BMP stay surrogates, as OpenSSL and Windows write them. */
export function passwordForms(password: string): PasswordForms {
  const units = Array.from({ length: password.length }, (_, i) => password.charCodeAt(i));
  const bmp = Uint8Array.from([...units, 0].flatMap((unit) => [unit >> 8, unit & 0xff]));
  return { utf8: utf8(password), bmp: concat(bmp) };
}
