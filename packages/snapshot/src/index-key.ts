import { sha256Hex, utf8 } from '@sallyport/bytes';
import type { SectionCipher } from './section-cipher.ts';

/** A credential as the `credentials` tree files it: by what a client can prove. */
export type CredentialKey =
  | { readonly by: 'certificate'; readonly sha256: string }
  | { readonly by: 'public-key'; readonly spkiSha256: string }
  /** Both names in DER. */
  | { readonly by: 'issuer+subject'; readonly issuer: Uint8Array; readonly subject: Uint8Array };

/** Leaf key of an account, from its normalised login name. */
export const accountIndexKey = (cipher: SectionCipher, name: string): string =>
  cipher.indexKey('account', name);

/** Leaf key of a credential. */
export function credentialIndexKey(cipher: SectionCipher, key: CredentialKey): string {
  switch (key.by) {
    case 'certificate':
      return cipher.indexKey(key.by, key.sha256);
    case 'public-key':
      return cipher.indexKey(key.by, key.spkiSha256);
    case 'issuer+subject':
      return cipher.indexKey(key.by, key.issuer, key.subject);
  }
}

/** Leaf key of a node in the `nodes` tree, which is not encrypted: the hash of its id. */
export const nodeIndexKey = (nodeId: string): string => sha256Hex(utf8(nodeId));
