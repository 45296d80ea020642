import { poly1305 } from '@noble/ciphers/_poly1305.js';
import { cbc, ctr, gcm } from '@noble/ciphers/aes.js';
import { chacha20orig } from '@noble/ciphers/chacha.js';
import { type Bytes, concat, copyOf, equalConstantTime, fromUtf8, utf8 } from '@sallyport/bytes';
import { decryptDes } from '../cipher/legacy-cipher.ts';
import { sameBytes } from '../der.ts';
import { fieldBytes } from '../elliptic-curve.ts';
import { bcryptPbkdf } from '../kdf/derive-key.ts';
import { inWidth, type PrivateKeyParts, provePrivateKey } from '../private-key.ts';
import { parseSpki } from '../public-key.ts';
import { encodeSshBlob, sshEcdsaType } from '../ssh-key.ts';
import { SshReader, SshWireError } from '../ssh-wire.ts';
import { type NamedPrivateKey, neededPassword, type Reading, refusal, wrongPassword } from './reading.ts';

/** The cipher of an OpenSSH private key file: lengths in octets. `open` gives nothing for a wrong password. */
type FileCipher = {
  readonly key: number;
  readonly iv: number;
  readonly block: 8 | 16;
  /** Octets of a tag behind the ciphertext. */
  readonly tag: 0 | 16;
  readonly open: (key: Bytes, iv: Bytes, ciphertext: Bytes, tag: Bytes) => Bytes | undefined;
};

const aesCtr = (key: number): FileCipher => ({
  key,
  iv: 16,
  block: 16,
  tag: 0,
  open: (secret, iv, ciphertext) => copyOf(ctr(secret, iv).decrypt(ciphertext)),
});
const aesCbc = (key: number): FileCipher => ({
  key,
  iv: 16,
  block: 16,
  tag: 0,
  open: (secret, iv, ciphertext) => copyOf(cbc(secret, iv, { disablePadding: true }).decrypt(ciphertext)),
});
const aesGcm = (key: number): FileCipher => ({
  key,
  iv: 12,
  block: 16,
  tag: 16,
  open: (secret, iv, ciphertext, tag) => {
    try {
      return copyOf(gcm(secret, iv).decrypt(concat(ciphertext, tag)));
    } catch {
      // Lengths are checked before: what the library throws for is a tag that does not fit.
      return undefined;
    }
  },
});

/** PROTOCOL.chacha20poly1305 of OpenSSH with sequence number 0 and no header; the second key is not used. */
const chacha20Poly1305: FileCipher = {
  key: 64,
  iv: 0,
  block: 8,
  tag: 16,
  open: (secret, _, ciphertext, tag) => {
    const key = secret.subarray(0, 32);
    const nonce = new Uint8Array(8);
    const oneTime = chacha20orig(key, nonce, new Uint8Array(32));
    if (!equalConstantTime(poly1305(ciphertext, oneTime), tag)) return undefined;
    return copyOf(chacha20orig(key, nonce, ciphertext, new Uint8Array(ciphertext.length), 1));
  },
};

const ciphers: Readonly<Record<string, FileCipher>> = {
  'aes128-ctr': aesCtr(16),
  'aes192-ctr': aesCtr(24),
  'aes256-ctr': aesCtr(32),
  'aes128-cbc': aesCbc(16),
  'aes192-cbc': aesCbc(24),
  'aes256-cbc': aesCbc(32),
  '3des-cbc': { key: 24, iv: 8, block: 8, tag: 0, open: (key, iv, text) => decryptDes(key, iv, text) },
  'aes128-gcm@openssh.com': aesGcm(16),
  'aes256-gcm@openssh.com': aesGcm(32),
  'chacha20-poly1305@openssh.com': chacha20Poly1305,
};

const magic = utf8('openssh-key-v1\0');

function readParts(reader: SshReader): PrivateKeyParts {
  const name = reader.text();
  if (name === 'ssh-rsa') {
    const number = (): Bytes => copyOf(reader.positiveMpint());
    const [modulus, exponent, d, coefficient, p, q] = [
      number(),
      number(),
      number(),
      number(),
      number(),
      number(),
    ];
    return { type: 'rsa', modulus, exponent, d, p, q, coefficient };
  }
  if (name === 'ssh-ed25519') {
    const point = copyOf(reader.string());
    const secret = copyOf(reader.string());
    if (secret.length !== 64 || !sameBytes(secret.subarray(32), point)) {
      throw new SshWireError('the Ed25519 key does not fit its public key');
    }
    return { type: 'ed25519', seed: secret.slice(0, 32), point };
  }
  const type = sshEcdsaType(name);
  if (!type) throw refusal('key-unsupported', `SSH key type ${name}`);
  if (`ecdsa-sha2-${reader.text()}` !== name) throw new SshWireError('curve differs from the key type');
  const point = copyOf(reader.string());
  return { type, point, scalar: inWidth(reader.positiveMpint(), fieldBytes(type)) };
}

/** The private part in clear, its padding still on it. */
function decrypt(
  reader: SshReader,
  reading: Reading,
): { readonly plain: Bytes; readonly blob: Bytes; readonly encrypted: boolean } {
  const cipherName = reader.text();
  const kdf = reader.text();
  const options = reader.string();
  if (reader.uint32() !== 1) throw refusal('key-unsupported', 'more than one key in one OpenSSH file');
  const blob = copyOf(reader.string());
  const ciphertext = copyOf(reader.string());
  if (cipherName === 'none') {
    if (kdf !== 'none') throw new SshWireError('a key derivation without a cipher');
    reader.finish();
    if (ciphertext.length % 8 !== 0) throw new SshWireError('not whole blocks');
    return { plain: ciphertext, blob, encrypted: false };
  }
  reading.recognised = `OpenSSH private key (${cipherName})`;
  const cipher = ciphers[cipherName];
  if (!cipher) throw refusal('key-unsupported', `cipher ${cipherName}`);
  if (kdf !== 'bcrypt') throw refusal('key-unsupported', `key derivation ${kdf}`);
  const tag = copyOf(reader.octets(cipher.tag));
  reader.finish();
  if (ciphertext.length === 0 || ciphertext.length % cipher.block !== 0) {
    throw new SshWireError('not whole blocks');
  }
  const kdfFields = new SshReader(options);
  const salt = copyOf(kdfFields.string());
  const rounds = kdfFields.uint32();
  kdfFields.finish();
  const password = utf8(neededPassword(reading));
  const length = cipher.key + cipher.iv;
  const material = bcryptPbkdf({ password, salt, rounds, length }, reading.budget);
  const [key, iv] = [material.slice(0, cipher.key), material.slice(cipher.key)];
  const plain = cipher.open(key, iv, ciphertext, tag);
  if (!plain) throw wrongPassword();
  return { plain, blob, encrypted: true };
}

/**
 * Reads a private key in OpenSSH's own form (PROTOCOL.key of OpenSSH).
 *
 * @param file what stands in the PEM block
 * @throws SshWireError, DerError or FaultError
 */
export async function readOpensshPrivateKey(file: Bytes, reading: Reading): Promise<NamedPrivateKey> {
  reading.recognised = 'OpenSSH private key';
  if (!sameBytes(file.subarray(0, magic.length), magic)) throw new SshWireError('unknown version');
  const { plain, blob, encrypted } = decrypt(new SshReader(file.subarray(magic.length)), reading);
  const reader = new SshReader(plain);
  // Two equal numbers tell that decryption worked.
  const [first, second] = [reader.uint32(), reader.uint32()];
  if (first !== second) throw encrypted ? wrongPassword() : new SshWireError('its check numbers differ');
  const parts = readParts(reader);
  let comment: string;
  try {
    comment = fromUtf8(reader.string());
  } catch (error) {
    if (error instanceof TypeError) comment = '';
    else throw error;
  }
  const padding = reader.octets(plain.length - reader.at);
  // PuTTY fills a whole block more where OpenSSH would add nothing.
  if (padding.length > 64 || padding.some((octet, i) => octet !== i + 1)) {
    throw new SshWireError('padding is wrong');
  }
  const key = await provePrivateKey(parts, reading.leastRsaBits);
  const publicKey = parseSpki(key.spki, reading.leastRsaBits);
  if (!publicKey.ok || !sameBytes(encodeSshBlob(publicKey.value), blob)) {
    throw refusal('key-malformed', 'the private key is not that of its public key');
  }
  return { ...key, name: comment };
}
