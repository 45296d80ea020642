import { sha256Hex } from '@sallyport/bytes';
import { sourceIn, spkiOfSshBlob } from '@sallyport/pki';
import type { AccountRecord, LoginCredential } from '@sallyport/snapshot/node';
import type { ZoneView } from './zone-view.ts';

/** Has the CA of an X.509 certificate revoked it? Over SSH its key logs in, and must not after that. */
const isListed = ({ listedBy }: LoginCredential, view: ZoneView): boolean =>
  listedBy !== undefined &&
  view.crlRules.some(({ id, list }) => listedBy.cas.includes(id) && list?.serials.has(listedBy.serial));

/** Is the credential good at this moment, revocation included? */
const standsNow = (credential: LoginCredential, view: ZoneView, now: number): boolean =>
  !view.isRevoked(credential) &&
  !isListed(credential, view) &&
  (credential.validUntil === undefined || Date.parse(credential.validUntil) > now);

/** Why a key is no credential of the account now. */
export type KeyRefusal = 'not registered on the account' | typeof foreignSource;
export const foreignSource = 'the key may not be used from this address';

/**
 * The account's login certificate with that key, if it is good now and for that source. SSH trusts the key: any login
 * certificate's will do.
 */
export function sshCredentialOf(
  account: AccountRecord | undefined,
  spkiSha256: string,
  source: string,
  view: ZoneView,
  now: number,
): LoginCredential | KeyRefusal {
  const standing = account?.credentials.filter(
    (credential) => credential.spkiSha256 === spkiSha256 && standsNow(credential, view, now),
  );
  const usable = standing?.find(({ sources }) => sources === undefined || sourceIn(source, sources));
  if (usable) return usable;
  return standing?.length ? foreignSource : 'not registered on the account';
}

/** Weak RSA keys are read too: they are on no account but where the zone takes such keys. */
const leastRegisteredRsaBits = 1_024;

export function spkiDigestOf(keyBlob: Uint8Array): string | undefined {
  const spki = spkiOfSshBlob(new Uint8Array(keyBlob), leastRegisteredRsaBits);
  return spki.ok ? sha256Hex(spki.value) : undefined;
}
