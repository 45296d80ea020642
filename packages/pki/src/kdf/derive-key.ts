import { argon2dAsync, argon2iAsync, argon2idAsync } from '@noble/hashes/argon2.js';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { type Bytes, concat, copyOf } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import bcrypt from 'bcrypt-pbkdf';
import { type HashName, hash, hashFunction, hashRepeatedly } from './hash.ts';
import type { WorkBudget } from './work-budget.ts';

/*
 * Derivation of keys from passwords. Each function states its cost to the budget before it begins; the factors
 * are milliseconds measured in plain JavaScript, rounded up. A worker has 128 MB in all, hence the bound on memory.
 */

const webNames: Partial<Record<HashName, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};
const mostMemory = 64 * 1_048_576;

/** How much more work costs that all else waits for than work that lets others have their turns. */
const whileAllWaits = 3;

const refuse = (detail: string): never => {
  throw new FaultError({ code: 'key-too-costly', detail });
};

/** PBKDF2 (RFC 8018 section 5.2). */
export async function pbkdf2(
  input: {
    readonly hash: HashName;
    readonly password: Uint8Array;
    readonly salt: Uint8Array;
    readonly iterations: number;
    /** Octets wanted. */
    readonly length: number;
  },
  budget: WorkBudget,
): Promise<Bytes> {
  const { password, salt, iterations, length } = input;
  const implementation = hashFunction(input.hash);
  const blocks = Math.ceil(length / implementation.outputLen);
  const perIteration = implementation.blockLen === 128 ? 0.005 : 0.002;
  budget.spend(iterations * blocks * perIteration, `PBKDF2 of ${iterations} iterations`);
  const webName = webNames[input.hash];
  if (webName) {
    try {
      const key = await crypto.subtle.importKey('raw', copyOf(password), 'PBKDF2', false, ['deriveBits']);
      const algorithm = { name: 'PBKDF2', hash: webName, salt: copyOf(salt), iterations };
      return copyOf(await crypto.subtle.deriveBits(algorithm, key, 8 * length));
    } catch {
      // Workers refuse more than 100,000 iterations and some runtimes an empty password; JavaScript does not.
    }
  }
  return copyOf(await pbkdf2Async(implementation, password, salt, { c: iterations, dkLen: length }));
}

/** scrypt (RFC 7914). Parameters that it does not define are refused. */
export async function scrypt(
  input: {
    readonly password: Uint8Array;
    readonly salt: Uint8Array;
    readonly cost: number;
    readonly blockSize: number;
    readonly parallelization: number;
    readonly length: number;
  },
  budget: WorkBudget,
): Promise<Bytes> {
  const { password, salt, cost, blockSize, parallelization, length } = input;
  const what = `scrypt of N=${cost}, r=${blockSize}, p=${parallelization}`;
  const powerOfTwo = Number.isSafeInteger(cost) && cost > 1 && Number.isInteger(Math.log2(cost));
  if (!powerOfTwo || blockSize < 1 || parallelization < 1) refuse(what);
  if (128 * blockSize * (cost + parallelization) > mostMemory) refuse(what);
  budget.spend((cost * blockSize * parallelization) / 1_024, what);
  const parameters = { N: cost, r: blockSize, p: parallelization, dkLen: length, maxmem: 2 * mostMemory };
  return copyOf(await scryptAsync(password, salt, parameters));
}

const argon2Kinds = { argon2d: argon2dAsync, argon2i: argon2iAsync, argon2id: argon2idAsync } as const;
export type Argon2Kind = keyof typeof argon2Kinds;

/** Argon2 (RFC 9106). Parameters that it does not define are refused. */
export async function argon2(
  input: {
    readonly kind: Argon2Kind;
    readonly password: Uint8Array;
    readonly salt: Uint8Array;
    readonly kibibytes: number;
    readonly passes: number;
    readonly parallelism: number;
    readonly length: number;
  },
  budget: WorkBudget,
): Promise<Bytes> {
  const { kind, password, salt, kibibytes, passes, parallelism, length } = input;
  const what = `${kind} of ${kibibytes} KiB, ${passes} passes, ${parallelism} lanes`;
  const defined =
    passes >= 1 && parallelism >= 1 && parallelism <= 255 && kibibytes >= 8 * parallelism && salt.length >= 8;
  if (!defined || kibibytes * 1_024 > mostMemory) refuse(what);
  budget.spend((kibibytes * passes) / 200, what);
  const parameters = { t: passes, m: kibibytes, p: parallelism, dkLen: length };
  return copyOf(await argon2Kinds[kind](password, salt, parameters));
}

/** OpenSSH's bcrypt_pbkdf. It cannot be interrupted: about 14 ms of the process for a round. */
export function bcryptPbkdf(
  input: {
    readonly password: Uint8Array;
    readonly salt: Uint8Array;
    readonly rounds: number;
    readonly length: number;
  },
  budget: WorkBudget,
): Bytes {
  const { password, salt, rounds, length } = input;
  const what = `bcrypt of ${rounds} rounds`;
  if (rounds < 1 || password.length === 0 || salt.length === 0 || salt.length > 1_024) refuse(what);
  const blocks = Math.ceil(length / 32);
  budget.spend(whileAllWaits * 7 * rounds * blocks, what);
  const key = new Uint8Array(length);
  const status = bcrypt.pbkdf(password, password.length, salt, salt.length, key, length, rounds);
  if (status !== 0) throw new Error('bcrypt_pbkdf refused checked parameters');
  return key;
}

/** Key derivation of PKCS#12 (RFC 7292 appendix B.2). `purpose`: 1 key, 2 initial vector, 3 MAC. */
export async function pkcs12Kdf(
  input: {
    readonly hash: HashName;
    /** BMPString with its terminator, or nothing. */
    readonly password: Uint8Array;
    readonly salt: Uint8Array;
    readonly iterations: number;
    readonly purpose: 1 | 2 | 3;
    readonly length: number;
  },
  budget: WorkBudget,
): Promise<Bytes> {
  const { password, salt, iterations, purpose, length } = input;
  const { outputLen, blockLen } = hashFunction(input.hash);
  const rounds = Math.ceil(length / outputLen);
  budget.spend(
    iterations * rounds * (blockLen === 128 ? 0.003 : 0.001),
    `PKCS#12 of ${iterations} iterations`,
  );
  const filled = (bytes: Uint8Array): Bytes =>
    Uint8Array.from(
      { length: blockLen * Math.ceil(bytes.length / blockLen) },
      (_, i) => bytes[i % bytes.length] as number,
    );
  const diversifier = new Uint8Array(blockLen).fill(purpose);
  const state = concat(filled(salt), filled(password));
  const out: Bytes[] = [];
  for (let round = 0; round < rounds; round++) {
    const block = await hashRepeatedly(input.hash, concat(diversifier, state), iterations);
    out.push(block);
    for (let start = 0; start < state.length; start += blockLen) {
      let carry = 1;
      for (let at = blockLen - 1; at >= 0; at--) {
        carry += (state[start + at] as number) + (block[at % outputLen] as number);
        state[start + at] = carry & 0xff;
        carry >>= 8;
      }
    }
  }
  return concat(...out).slice(0, length);
}

/** Key derivation of PKCS#5 version 1 (RFC 8018 section 5.1): at most one hash long. */
export async function pbkdf1(
  input: {
    readonly hash: 'md5' | 'sha1';
    readonly password: Uint8Array;
    readonly salt: Uint8Array;
    readonly iterations: number;
    readonly length: number;
  },
  budget: WorkBudget,
): Promise<Bytes> {
  budget.spend(input.iterations * 0.001, `PBKDF1 of ${input.iterations} iterations`);
  const block = await hashRepeatedly(input.hash, concat(input.password, input.salt), input.iterations);
  return block.slice(0, input.length);
}

/** OpenSSL's EVP_BytesToKey with MD5 and one iteration: the key of a traditional encrypted PEM. */
export function opensslBytesToKey(password: Uint8Array, salt: Uint8Array, length: number): Bytes {
  let material: Bytes = new Uint8Array(0);
  let block: Bytes = new Uint8Array(0);
  while (material.length < length) {
    block = hash('md5', concat(block, password, salt));
    material = concat(material, block);
  }
  return material.slice(0, length);
}
