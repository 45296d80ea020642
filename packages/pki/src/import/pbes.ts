import { type Bytes, copyOf } from '@sallyport/bytes';
import { blockLength, type CbcCipher, decryptCbc, unpad } from '../cipher/cbc.ts';
import { decryptRc4 } from '../cipher/legacy-cipher.ts';
import { DerError, DerReader, oidText, smallInteger, tags } from '../der.ts';
import { pbkdf1, pbkdf2, pkcs12Kdf, scrypt } from '../kdf/derive-key.ts';
import type { HashName } from '../kdf/hash.ts';
import type { WorkBudget } from '../kdf/work-budget.ts';
import { oids } from '../oids.ts';
import { type PrivateKeyParts, readPkcs8 } from '../private-key.ts';
import { type PasswordForms, type Reading, refusal, wrongPassword } from './reading.ts';

const prfs: Readonly<Record<string, HashName>> = {
  [oids.hmacWithSha1]: 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  [oids.hmacWithSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const ciphers: Readonly<Record<string, CbcCipher>> = {
  '2.16.840.1.101.3.4.1.2': { kind: 'aes', keyLength: 16 },
  '2.16.840.1.101.3.4.1.22': { kind: 'aes', keyLength: 24 },
  [oids.aes256Cbc]: { kind: 'aes', keyLength: 32 },
  '1.2.840.113549.3.7': { kind: 'des', keyLength: 24 },
  '1.3.14.3.2.7': { kind: 'des', keyLength: 8 },
};
const rc2Oid = '1.2.840.113549.3.2';

type OldScheme =
  | { readonly kdf: 'pkcs5'; readonly hash: 'md5' | 'sha1'; readonly cipher: CbcCipher }
  | { readonly kdf: 'pkcs12'; readonly cipher: CbcCipher }
  | { readonly kdf: 'pkcs12-rc4'; readonly keyLength: number };

const des = { kind: 'des', keyLength: 8 } as const;
const rc2 = (keyLength: number): CbcCipher => ({ kind: 'rc2', keyLength, effectiveBits: 8 * keyLength });

/** PKCS#5 version 1.5 (RFC 8018 appendix A.3) and PKCS#12 (RFC 7292 appendix C). */
const oldSchemes: Readonly<Record<string, OldScheme>> = {
  '1.2.840.113549.1.5.3': { kdf: 'pkcs5', hash: 'md5', cipher: des },
  '1.2.840.113549.1.5.6': { kdf: 'pkcs5', hash: 'md5', cipher: rc2(8) },
  '1.2.840.113549.1.5.10': { kdf: 'pkcs5', hash: 'sha1', cipher: des },
  '1.2.840.113549.1.5.11': { kdf: 'pkcs5', hash: 'sha1', cipher: rc2(8) },
  '1.2.840.113549.1.12.1.1': { kdf: 'pkcs12-rc4', keyLength: 16 },
  '1.2.840.113549.1.12.1.2': { kdf: 'pkcs12-rc4', keyLength: 5 },
  '1.2.840.113549.1.12.1.3': { kdf: 'pkcs12', cipher: { kind: 'des', keyLength: 24 } },
  '1.2.840.113549.1.12.1.4': { kdf: 'pkcs12', cipher: { kind: 'des', keyLength: 16 } },
  '1.2.840.113549.1.12.1.5': { kdf: 'pkcs12', cipher: rc2(16) },
  '1.2.840.113549.1.12.1.6': { kdf: 'pkcs12', cipher: rc2(5) },
};

const unsupported = (what: string) => refusal('key-unsupported', what);

/** Salt and iterations of a derivation; a salt longer than any writer makes would only slow it down. */
function saltOf(fields: DerReader): Bytes {
  const salt = copyOf(fields.next(tags.octetString).content);
  if (salt.length > 1_024) throw new DerError('salt is too long');
  return salt;
}

/** Parameters of PBKDF2 (RFC 8018 appendix A.2). */
export function readPbkdf2(parameters: DerReader): {
  readonly salt: Bytes;
  readonly iterations: number;
  readonly keyLength: number | undefined;
  readonly hash: HashName;
} {
  const fields = parameters.inside(tags.sequence);
  parameters.finish();
  const salt = saltOf(fields);
  const iterations = smallInteger(fields.next(tags.integer));
  const length = fields.optional(tags.integer);
  const prf = fields.optional(tags.sequence);
  fields.finish();
  if (iterations < 1) throw new DerError('no iteration');
  const oid = prf ? oidText(new DerReader(prf.content).next(tags.oid)) : oids.hmacWithSha1;
  const hash = prfs[oid];
  if (!hash) throw unsupported(`PBKDF2 with the function ${oid}`);
  return { salt, iterations, keyLength: length && smallInteger(length), hash };
}

/** Version numbers of RC2 stand for effective key bits (RFC 8018 appendix B.2.3). */
function readRc2(parameters: DerReader): { readonly cipher: CbcCipher; readonly iv: Bytes } {
  const fields = parameters.inside(tags.sequence);
  const version = fields.optional(tags.integer);
  const iv = copyOf(fields.next(tags.octetString).content);
  const known: Readonly<Record<number, number>> = { 160: 40, 120: 64, 58: 128 };
  const effectiveBits = version ? known[smallInteger(version)] : 32;
  if (!effectiveBits) throw unsupported('RC2 of an unusual strength');
  return { cipher: { kind: 'rc2', keyLength: effectiveBits / 8, effectiveBits }, iv };
}

function readCipher(identifier: DerReader): { readonly cipher: CbcCipher; readonly iv: Bytes } {
  const oid = oidText(identifier.next(tags.oid));
  if (oid === rc2Oid) return readRc2(identifier);
  const cipher = ciphers[oid];
  if (!cipher) throw unsupported(`encryption algorithm ${oid}`);
  return { cipher, iv: copyOf(identifier.next(tags.octetString).content) };
}

async function decryptPbes2(
  parameters: DerReader,
  ciphertext: Bytes,
  password: PasswordForms,
  budget: WorkBudget,
): Promise<Bytes | undefined> {
  const fields = parameters.inside(tags.sequence);
  parameters.finish();
  const derivation = fields.inside(tags.sequence);
  const encryption = fields.inside(tags.sequence);
  fields.finish();
  const { cipher, iv } = readCipher(encryption);
  if (iv.length !== blockLength(cipher)) throw new DerError('initial vector of a wrong length');
  const kdf = oidText(derivation.next(tags.oid));
  const keyOf = async (): Promise<Bytes> => {
    if (kdf === oids.pbkdf2) {
      const { salt, iterations, keyLength, hash } = readPbkdf2(derivation);
      const length = cipher.kind === 'rc2' ? (keyLength ?? cipher.keyLength) : cipher.keyLength;
      if ((keyLength ?? length) !== length || length < 1 || length > 128) {
        throw new DerError('key of a wrong length');
      }
      return pbkdf2({ hash, password: password.utf8, salt, iterations, length }, budget);
    }
    if (kdf !== oids.scrypt) throw unsupported(`key derivation ${kdf}`);
    const scryptFields = derivation.inside(tags.sequence);
    const salt = saltOf(scryptFields);
    const cost = smallInteger(scryptFields.next(tags.integer));
    const blockSize = smallInteger(scryptFields.next(tags.integer));
    const parallelization = smallInteger(scryptFields.next(tags.integer));
    const length = cipher.keyLength;
    return scrypt({ password: password.utf8, salt, cost, blockSize, parallelization, length }, budget);
  };
  const padded = decryptCbc(cipher, await keyOf(), iv, ciphertext);
  if (!padded) throw new DerError('ciphertext is not whole blocks');
  return unpad(padded, blockLength(cipher));
}

async function decryptOld(
  scheme: OldScheme,
  parameters: DerReader,
  ciphertext: Bytes,
  password: PasswordForms,
  budget: WorkBudget,
): Promise<Bytes | undefined> {
  const fields = parameters.inside(tags.sequence);
  parameters.finish();
  const salt = saltOf(fields);
  const iterations = smallInteger(fields.next(tags.integer));
  fields.finish();
  if (iterations < 1 || salt.length === 0) throw new DerError('no salt or no iteration');
  const pkcs12 = (purpose: 1 | 2, length: number): Promise<Bytes> =>
    pkcs12Kdf({ hash: 'sha1', password: password.bmp, salt, iterations, purpose, length }, budget);
  if (scheme.kdf === 'pkcs12-rc4') return decryptRc4(await pkcs12(1, scheme.keyLength), ciphertext);
  const { cipher } = scheme;
  const block = blockLength(cipher);
  let key: Bytes;
  let iv: Bytes;
  if (scheme.kdf === 'pkcs12') {
    key = await pkcs12(1, cipher.keyLength);
    iv = await pkcs12(2, block);
  } else {
    const both = { hash: scheme.hash, password: password.utf8, salt, iterations, length: 16 };
    const derived = await pbkdf1(both, budget);
    key = derived.subarray(0, 8);
    iv = derived.subarray(8, 16);
  }
  const padded = decryptCbc(cipher, key, iv, ciphertext);
  if (!padded) throw new DerError('ciphertext is not whole blocks');
  return unpad(padded, block);
}

/**
 * Decrypts by an AlgorithmIdentifier of password-based encryption: PBES2 (RFC 8018), PBES1, and the ones of
 * PKCS#12.
 *
 * @param algorithm content of the AlgorithmIdentifier
 * @returns the plaintext; nothing where the padding says that the password is wrong
 * @throws DerError; FaultError `key-unsupported` or `key-too-costly`
 */
export async function decryptPbes(
  algorithm: Bytes,
  ciphertext: Bytes,
  password: PasswordForms,
  budget: WorkBudget,
): Promise<Bytes | undefined> {
  const fields = new DerReader(algorithm);
  const oid = oidText(fields.next(tags.oid));
  if (oid === oids.pbes2) return decryptPbes2(fields, ciphertext, password, budget);
  const scheme = oldSchemes[oid];
  if (!scheme) throw unsupported(`password-based encryption ${oid}`);
  return decryptOld(scheme, fields, ciphertext, password, budget);
}

/**
 * Decrypts a private key in PKCS#8.
 *
 * @throws as `decryptPbes`, and FaultError `key-password-wrong` for a plaintext that is no key: one wrong password
 *   in 256 leaves a padding that looks right
 */
export async function openPkcs8(
  algorithm: Bytes,
  ciphertext: Bytes,
  password: PasswordForms,
  { budget }: Reading,
): Promise<PrivateKeyParts> {
  const plain = await decryptPbes(algorithm, ciphertext, password, budget);
  if (!plain) throw wrongPassword();
  try {
    return readPkcs8(copyOf(plain));
  } catch (error) {
    if (error instanceof DerError) throw wrongPassword();
    throw error;
  }
}
