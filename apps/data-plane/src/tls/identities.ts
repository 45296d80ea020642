import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { Identity } from '../zone-view.ts';

/** An identity whose key and certificate were found to belong together. */
export type UsableIdentity = { readonly identity: Identity; readonly leaf: X509Certificate };

/**
 * Reads the identities of a TLS listener and checks each key against its certificate.
 *
 * @returns the identities in their order; `item-key-missing` where there is none, `item-key-mismatch` where one does
 *   not read or does not belong to its certificate
 */
export function usableIdentities(identities: readonly Identity[]): Result<readonly UsableIdentity[]> {
  if (identities.length === 0) return refuse('item-key-missing', 'no local certificate is assigned');
  const usable: UsableIdentity[] = [];
  for (const identity of identities) {
    const der = identity.chain[0];
    if (der === undefined) return refuse('item-key-missing', `certificate ${identity.id} is empty`);
    try {
      const leaf = new X509Certificate(der);
      const key = createPrivateKey({ key: Buffer.from(identity.privateKey), format: 'der', type: 'pkcs8' });
      if (!leaf.checkPrivateKey(key)) {
        return refuse('item-key-mismatch', `certificate ${identity.id} has another key`);
      }
      usable.push({ identity, leaf });
    } catch {
      return refuse('item-key-mismatch', `certificate ${identity.id} or its key does not read`);
    }
  }
  return ok(usable);
}

/** OpenSSL holds one certificate per kind of key in a context and picks by what the client's signatures are. */
const slotOf = (identity: Identity): 'rsa' | 'ecdsa' | 'ed25519' =>
  identity.keyType === 'rsa' || identity.keyType === 'ed25519' ? identity.keyType : 'ecdsa';

const namesHost = (leaf: X509Certificate, host: string): boolean =>
  isIP(host) === 0
    ? leaf.checkHost(host, { subject: 'never' }) !== undefined
    : leaf.checkIP(host) !== undefined;

/** The names in a subjectAltName, DNS and IP alone. */
const hostsOf = (leaf: X509Certificate): string[] =>
  [...(leaf.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map((match) => match[1] ?? '');

/** Does `other` stand for every name that `leaf` stands for? */
const covers = (other: X509Certificate, leaf: X509Certificate): boolean =>
  hostsOf(leaf).every((host) => namesHost(other, host.startsWith('*.') ? `a${host.slice(1)}` : host));

/**
 * The identities to present to a client that named `host` (its SNI name, or the address it came to where it sent
 * none): those whose SAN covers the host, at most one per kind of key, in the order they were assigned.
 * Where none covers it the first is presented, beside others of another key type that cover all of its names.
 *
 * @param host DNS name or IP address; undefined where the client named nothing
 */
export function identitiesFor(
  usable: readonly UsableIdentity[],
  host: string | undefined,
): readonly UsableIdentity[] {
  const first = usable[0];
  const named = host === undefined ? [] : usable.filter(({ leaf }) => namesHost(leaf, host));
  const candidates =
    named.length > 0 || first === undefined
      ? named
      : usable.filter(({ leaf }) => leaf === first.leaf || covers(leaf, first.leaf));
  const slots = new Set<string>();
  return candidates.filter(({ identity }) => {
    const slot = slotOf(identity);
    if (slots.has(slot)) return false;
    slots.add(slot);
    return true;
  });
}
