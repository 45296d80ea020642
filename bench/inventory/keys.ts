import { unwrap } from '@sallyport/faults';
import { generateKeyPair, sshBlobOf, sshPublicKeyLine } from '@sallyport/pki';

/** An authorized_keys file of that many new keys. */
export async function newKeyLines(count: number): Promise<string> {
  const pairs = await Promise.all(Array.from({ length: count }, () => generateKeyPair('ed25519')));
  return pairs.map(({ spki }, at) => `${sshPublicKeyLine(unwrap(sshBlobOf(spki)), `key ${at}`)}\n`).join('');
}
