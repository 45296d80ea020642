import {
  createHash,
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

/** A key exchange that joins a key encapsulation with X25519: whoever breaks one of them still has nothing. */
export type HybridKem = {
  /** Hash of the exchange: over its transcript, for its keys, and over both secrets. */
  readonly hash: 'sha256' | 'sha512';
  /**
   * The server's half of the exchange.
   *
   * @param share what the client sent: public key of the encapsulation, then its X25519 key
   * @returns what the server sends (ciphertext, then its X25519 key) and the shared secret; nothing for a share of
   *   another length, a key that is not one of the encapsulation, and an X25519 key that yields zeros
   */
  answer(share: Uint8Array): { readonly reply: Buffer; readonly secret: Buffer } | undefined;
};

/** The encapsulating side of a KEM; throws on a public key that is none. */
export type Encapsulation = {
  readonly publicKeyBytes: number;
  encapsulate(publicKey: Uint8Array): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };
};

const x25519Bytes = 32;
/** What comes before the 32 bytes of an X25519 key in SubjectPublicKeyInfo (RFC 8410 section 4). */
const x25519Prefix = Buffer.from('302a300506032b656e032100', 'hex');
/** What comes before the 1184 bytes of an ML-KEM-768 key in SubjectPublicKeyInfo (RFC 9935 section 4). */
const mlKem768Prefix = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

const spki = (prefix: Buffer, key: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([prefix, key]), format: 'der', type: 'spki' });

/** ML-KEM-768 (FIPS 203) of Node's OpenSSL, which checks the modulus of the key (section 7.2). */
const mlKem768: Encapsulation = {
  publicKeyBytes: 1184,
  encapsulate(publicKey) {
    const { ciphertext, sharedKey } = encapsulate(spki(mlKem768Prefix, publicKey));
    return { ciphertext, sharedSecret: sharedKey };
  },
};

function hybrid(hash: HybridKem['hash'], kem: Encapsulation): HybridKem {
  return {
    hash,
    answer(share) {
      if (share.length !== kem.publicKeyBytes + x25519Bytes) return undefined;
      try {
        const { ciphertext, sharedSecret } = kem.encapsulate(share.subarray(0, kem.publicKeyBytes));
        const own = generateKeyPairSync('x25519');
        // OpenSSL refuses a result of zeros (RFC 7748 section 6.1).
        const classical = diffieHellman({
          privateKey: own.privateKey,
          publicKey: spki(x25519Prefix, share.subarray(kem.publicKeyBytes)),
        });
        const ownKey = own.publicKey.export({ format: 'der', type: 'spki' }).subarray(-x25519Bytes);
        return {
          reply: Buffer.concat([ciphertext, ownKey]),
          secret: createHash(hash).update(sharedSecret).update(classical).digest(),
        };
      } catch {
        return undefined;
      }
    },
  };
}

/** `mlkem768x25519-sha256` (draft-ietf-sshm-mlkem-hybrid-kex). */
export const mlKem768X25519: HybridKem = hybrid('sha256', mlKem768);

const sntrupNames = ['sntrup761x25519-sha512', 'sntrup761x25519-sha512@openssh.com'];

/**
 * The hybrid exchanges among these names. Streamlined NTRU Prime comes as WebAssembly and is loaded when it is asked
 * for.
 *
 * @param kex names of key exchanges, others among them
 */
export async function hybridKems(kex: readonly string[]): Promise<ReadonlyMap<string, HybridKem>> {
  const kems = new Map<string, HybridKem>();
  if (kex.includes('mlkem768x25519-sha256')) kems.set('mlkem768x25519-sha256', mlKem768X25519);
  const sntrup = kex.filter((name) => sntrupNames.includes(name));
  if (sntrup.length > 0) {
    const sntrup761X25519 = await loadSntrup761();
    for (const name of sntrup) kems.set(name, sntrup761X25519);
  }
  return kems;
}

/** `sntrup761x25519-sha512` (draft-ietf-sshm-ntruprime-ssh): the exchange that OpenSSH 9 prefers. */
async function loadSntrup761(): Promise<HybridKem> {
  const { createSntrup761 } = await import('@oqs/liboqs-js/kem');
  const kem = await createSntrup761();
  return hybrid('sha512', {
    publicKeyBytes: 1158,
    // The library takes a Uint8Array by its constructor: a Buffer is refused.
    encapsulate: (publicKey) => kem.encapsulate(new Uint8Array(publicKey)),
  });
}
