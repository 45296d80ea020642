import { type Bytes, copyOf, equalConstantTime } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import {
  contextConstructed,
  contextPrimitive,
  DerError,
  DerReader,
  oidText,
  smallInteger,
  tags,
} from '../der.ts';
import { pbkdf2, pkcs12Kdf } from '../kdf/derive-key.ts';
import { type HashName, hmac } from '../kdf/hash.ts';
import { bmpText } from '../name.ts';
import { oids } from '../oids.ts';
import { type PrivateKeyParts, provePrivateKey, readPkcs8 } from '../private-key.ts';
import { decryptPbes, openPkcs8, readPbkdf2 } from './pbes.ts';
import {
  type NamedPrivateKey,
  type PasswordForms,
  passwordForms,
  type Reading,
  refusal,
  wrongPassword,
} from './reading.ts';

const macHashes: Readonly<Record<string, HashName>> = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const macFunctions: Readonly<Record<string, HashName>> = {
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const mostBags = 500;
const deepestContents = 4;

type Found = {
  readonly certificates: Bytes[];
  readonly keys: { readonly parts: PrivateKeyParts; readonly name: string }[];
};

/** Does the MAC fit under this password (RFC 7292 appendix B.4, PBMAC1 of RFC 9579)? */
async function macFits(
  macData: Bytes,
  content: Bytes,
  password: PasswordForms,
  reading: Reading,
): Promise<boolean> {
  const fields = new DerReader(macData);
  const digestInfo = fields.inside(tags.sequence);
  const salt = copyOf(fields.next(tags.octetString).content);
  const count = fields.optional(tags.integer);
  fields.finish();
  const algorithm = digestInfo.inside(tags.sequence);
  const stated = digestInfo.next(tags.octetString).content;
  const oid = oidText(algorithm.next(tags.oid));
  if (salt.length > 1_024) throw new DerError('salt is too long');
  const { budget } = reading;
  if (oid === oids.pbmac1) {
    const parameters = algorithm.inside(tags.sequence);
    const derivation = parameters.inside(tags.sequence);
    derivation.next(tags.oid);
    const { iterations, keyLength, hash, ...kdf } = readPbkdf2(derivation);
    const macFunction = macFunctions[oidText(parameters.inside(tags.sequence).next(tags.oid))];
    if (!macFunction || keyLength === undefined || keyLength < 20 || keyLength > 128) {
      throw refusal('key-unsupported', 'PBMAC1 with unusual parameters');
    }
    const derived = { hash, password: password.utf8, salt: kdf.salt, iterations, length: keyLength };
    return equalConstantTime(hmac(macFunction, await pbkdf2(derived, budget), content), stated);
  }
  const hash = macHashes[oid];
  if (!hash) throw refusal('key-unsupported', `MAC algorithm ${oid}`);
  const iterations = count ? smallInteger(count) : 1;
  if (iterations < 1 || salt.length === 0) throw new DerError('MAC without salt or iteration');
  const length = hmac(hash, salt, salt).length;
  const key = await pkcs12Kdf({ hash, password: password.bmp, salt, iterations, purpose: 3, length }, budget);
  return equalConstantTime(hmac(hash, key, content), stated);
}

/** Name that a person gave a bag; nothing for none. */
function nameOf(attributes: Bytes | undefined): string {
  const set = new DerReader(attributes ?? new Uint8Array(0));
  while (!set.atEnd) {
    const attribute = set.inside(tags.sequence);
    const type = oidText(attribute.next(tags.oid));
    const values = attribute.inside(tags.set);
    if (type === oids.friendlyName && !values.atEnd) return bmpText(values.next(tags.bmpString).content);
  }
  return '';
}

async function readBags(
  contents: Bytes,
  password: PasswordForms,
  reading: Reading,
  found: Found,
  depth: number,
): Promise<void> {
  if (depth > deepestContents) throw new DerError('nested too deeply');
  const whole = new DerReader(contents);
  const list = whole.inside(tags.sequence);
  whole.finish();
  while (!list.atEnd) {
    const bag = list.inside(tags.sequence);
    const type = oidText(bag.next(tags.oid));
    const value = bag.next(contextConstructed(0)).content;
    const name = nameOf(bag.optional(tags.set)?.content);
    bag.finish();
    if (found.certificates.length + found.keys.length === mostBags) {
      throw refusal('key-malformed', `more than ${mostBags} entries`);
    }
    if (type === oids.keyBag) found.keys.push({ parts: readPkcs8(copyOf(value)), name });
    else if (type === oids.shroudedKeyBag) {
      const info = new DerReader(value).inside(tags.sequence);
      const algorithm = copyOf(info.next(tags.sequence).content);
      const ciphertext = copyOf(info.next(tags.octetString).content);
      info.finish();
      const parts = await openPkcs8(algorithm, ciphertext, password, reading);
      found.keys.push({ parts, name });
    } else if (type === oids.certificateBag) {
      const fields = new DerReader(value).inside(tags.sequence);
      if (oidText(fields.next(tags.oid)) !== oids.x509Certificate) continue;
      found.certificates.push(copyOf(fields.inside(contextConstructed(0)).next(tags.octetString).content));
    } else if (type === oids.safeContentsBag) {
      await readBags(copyOf(value), password, reading, found, depth + 1);
    }
    // Bags of CRLs and of other secrets are nothing that an inventory of keys holds.
  }
}

async function readSafe(safe: Bytes, password: PasswordForms, reading: Reading): Promise<Found> {
  const found: Found = { certificates: [], keys: [] };
  const whole = new DerReader(safe);
  const list = whole.inside(tags.sequence);
  whole.finish();
  while (!list.atEnd) {
    const info = list.inside(tags.sequence);
    const type = oidText(info.next(tags.oid));
    const content = info.inside(contextConstructed(0));
    info.finish();
    if (type === oids.data) {
      await readBags(copyOf(content.next(tags.octetString).content), password, reading, found, 0);
    } else if (type === oids.encryptedData) {
      const data = content.inside(tags.sequence);
      smallInteger(data.next(tags.integer));
      const encrypted = data.inside(tags.sequence);
      encrypted.next(tags.oid);
      const algorithm = copyOf(encrypted.next(tags.sequence).content);
      const primitive = encrypted.optional(contextPrimitive(0));
      const ciphertext = primitive ?? encrypted.next(contextConstructed(0));
      // BER writers cut the implicit string into pieces, which the tag alone does not show.
      const octets = primitive ? ciphertext.content : joined(ciphertext.content);
      const plain = await decryptPbes(algorithm, copyOf(octets), password, reading.budget);
      if (!plain) throw wrongPassword();
      await readBags(copyOf(plain), password, reading, found, 0);
    } else throw refusal('key-unsupported', `PKCS#12 content ${type}`);
  }
  return found;
}

function joined(pieces: Bytes): Bytes {
  const reader = new DerReader(pieces);
  const parts: number[][] = [];
  while (!reader.atEnd) parts.push(Array.from(reader.next(tags.octetString).content));
  return Uint8Array.from(parts.flat());
}

const isWrongPassword = (error: unknown): boolean =>
  error instanceof FaultError && error.fault.code === 'key-password-wrong';

/** How the absence of a password may be meant: as an empty one, or as none at all (RFC 7292 appendix B.1). */
function candidates({ password }: Reading): PasswordForms[] {
  if (password !== undefined && password !== '') return [passwordForms(password)];
  const empty = passwordForms('');
  return [empty, { ...empty, bmp: new Uint8Array(0) }];
}

/**
 * Reads a PKCS#12 file (RFC 7292): modern (PBES2) and old encryption, with a MAC or without.
 *
 * @param der already in DER, see `berToDer`
 * @returns certificates as they stand there, and proved keys with their friendly names
 * @throws DerError or FaultError
 */
export async function readPkcs12(
  der: Bytes,
  reading: Reading,
): Promise<{ readonly certificates: readonly Bytes[]; readonly privateKeys: readonly NamedPrivateKey[] }> {
  reading.recognised = 'PKCS#12';
  const whole = new DerReader(der);
  const pfx = whole.inside(tags.sequence);
  whole.finish();
  smallInteger(pfx.next(tags.integer));
  const authSafe = pfx.inside(tags.sequence);
  const macData = pfx.optional(tags.sequence);
  pfx.finish();
  const type = oidText(authSafe.next(tags.oid));
  if (type !== oids.data) throw refusal('key-unsupported', 'PKCS#12 in public-key mode');
  const content = copyOf(authSafe.inside(contextConstructed(0)).next(tags.octetString).content);
  const wrong = (): Error =>
    reading.password === undefined || reading.password === ''
      ? refusal('key-password-required', 'it is encrypted')
      : wrongPassword();

  let found: Found | undefined;
  for (const candidate of candidates(reading)) {
    if (macData && !(await macFits(macData.content, content, candidate, reading))) continue;
    try {
      found = await readSafe(content, candidate, reading);
      break;
    } catch (error) {
      // Without a MAC, bytes that are nothing are what a wrong password makes.
      const undecided = !macData && error instanceof DerError;
      if (!undecided && !isWrongPassword(error)) throw error;
    }
  }
  if (!found) throw wrong();
  const privateKeys: NamedPrivateKey[] = [];
  for (const { parts, name } of found.keys) {
    privateKeys.push({ ...(await provePrivateKey(parts, reading.leastRsaBits)), name });
  }
  return { certificates: found.certificates, privateKeys };
}
