import { FaultError, ok, type Result, refuse } from '@sallyport/faults';
import { opensshPrivateKey } from '@sallyport/pki';
import type { Identity } from '../zone-view.ts';
import { hostKeyAlgorithms } from './algorithms.ts';

/** The host keys of a server: private keys in OpenSSH form and the algorithms that they sign with. */
export type HostKeys = { readonly privateKeys: readonly string[]; readonly algorithms: readonly string[] };

/**
 * Host keys from a server's identities: the first of each key type, in the order of the identities.
 *
 * @returns the keys; `item-key-missing` without an identity, `item-engine-refused` for a key that does not load
 */
export async function hostKeysOf(identities: readonly Identity[]): Promise<Result<HostKeys>> {
  if (identities.length === 0) return refuse('item-key-missing', 'no certificate is assigned');
  const chosen = new Map<Identity['keyType'], string>();
  for (const identity of identities) {
    if (chosen.has(identity.keyType)) continue;
    try {
      chosen.set(identity.keyType, await opensshPrivateKey(identity.privateKey));
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      return refuse('item-engine-refused', `the key of certificate ${identity.id} does not load`);
    }
  }
  return ok({
    privateKeys: [...chosen.values()],
    algorithms: [...chosen.keys()].flatMap((type) => hostKeyAlgorithms[type]),
  });
}
