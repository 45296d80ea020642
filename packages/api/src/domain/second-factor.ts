import { type Bytes, fromBase32, toBase32, toBase64 } from '@sallyport/bytes';
import { refuseField, unwrap } from '@sallyport/faults';
import type { SecondFactorCreate, Totp } from '@sallyport/model';
import type { KeyEncryption, SecondFactorRow } from '@sallyport/store';

/** Purpose under which an account's secret is encrypted at rest. */
const secretPurpose = (account: string): string => `second-factor:${account}`;

/** As long as the hash, which RFC 4226 section 4, R6 and RFC 6238 section 5.1 ask for. */
const secretBytes = { SHA1: 20, SHA256: 32 } as const;

export type NewSecondFactor = {
  readonly row: SecondFactorRow;
  /** Base32. */
  readonly secret: string;
  readonly uri: string;
};

/**
 * A second factor for an account, with the secret given or a new one.
 * Throws FaultError `invalid-request` where the given secret is not Base32.
 *
 * @param at RFC 3339
 */
export async function newSecondFactor(
  keys: KeyEncryption,
  randomBytes: (length: number) => Bytes,
  account: { readonly id: string; readonly name: string },
  { secret: given, ...parameters }: SecondFactorCreate,
  at: string,
): Promise<NewSecondFactor> {
  const bytes = given === undefined ? randomBytes(secretBytes[parameters.algorithm]) : fromBase32(given);
  if (!bytes) return unwrap(refuseField('invalid-request', '/secret', 'this is not Base32'));
  const secret = toBase32(bytes);
  return {
    row: {
      account: account.id,
      secret: await keys.wrap(secretPurpose(account.id), bytes),
      ...parameters,
      createdAt: at,
    },
    secret,
    uri: enrolmentUri(account.name, secret, parameters),
  };
}

/** The URI that authenticator apps read from a QR code (Google Authenticator's key URI format). */
function enrolmentUri(
  name: string,
  secret: string,
  { algorithm, digits, periodSeconds }: Omit<SecondFactorCreate, 'secret'>,
): string {
  const query = new URLSearchParams({
    secret,
    issuer: 'Sallyport',
    algorithm,
    digits: String(digits),
    period: String(periodSeconds),
  });
  return `otpauth://totp/Sallyport:${encodeURIComponent(name)}?${query}`;
}

/** What a node verifies codes with. */
export async function openSecondFactor(
  { account, secret, algorithm, digits, periodSeconds }: SecondFactorRow,
  keys: KeyEncryption,
): Promise<Totp> {
  const bytes = await keys.unwrap(secretPurpose(account), secret);
  return { secret: toBase64(bytes), algorithm, digits, periodSeconds };
}
