import { type Bytes, sha256, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import { contextConstructed, contextPrimitive, encode, encodeInteger, encodeOid, tags } from '../der.ts';
import { passwordForms } from '../import/reading.ts';
import { pkcs12Kdf } from '../kdf/derive-key.ts';
import { hmac } from '../kdf/hash.ts';
import { unboundedWork } from '../kdf/work-budget.ts';
import { oids } from '../oids.ts';
import { encryptPbes2, givenPassword } from './pbes2.ts';

/** For each of the derivations: guessing at the MAC must cost no less than guessing at a key. */
const iterations = 100_000;

type Entry = {
  /** PKCS#8 DER; absent for a file of certificates alone. */
  readonly privateKey?: Bytes | undefined;
  /** DER, leaf first; at least one. */
  readonly chain: readonly Bytes[];
  /** Shown by the programs that import it. */
  readonly friendlyName: string;
};

const contentInfo = (type: string, content: Bytes): Bytes =>
  encode(tags.sequence, encodeOid(type), encode(contextConstructed(0), content));

const attribute = (type: string, value: Bytes): Bytes =>
  encode(tags.sequence, encodeOid(type), encode(tags.set, value));

/** Name and identifier that tie a key to its certificate; DER wants the members of a set in order. */
function attributes({ friendlyName, chain: [leaf] }: Entry): Bytes {
  const { bmp } = passwordForms(friendlyName);
  const members = [
    attribute(oids.friendlyName, encode(tags.bmpString, bmp.subarray(0, -2))),
    attribute(oids.localKeyId, encode(tags.octetString, sha256(leaf as Bytes).subarray(0, 20))),
  ];
  const shortest = members.toSorted((a, b) => a.length - b.length);
  return encode(tags.set, ...shortest);
}

const bag = (type: string, value: Bytes, more?: Bytes): Bytes =>
  encode(tags.sequence, encodeOid(type), encode(contextConstructed(0), value), ...(more ? [more] : []));

function certificateBag(der: Bytes, more?: Bytes): Bytes {
  const octets = encode(contextConstructed(0), encode(tags.octetString, der));
  return bag(oids.certificateBag, encode(tags.sequence, encodeOid(oids.x509Certificate), octets), more);
}

async function encryptedContents(contents: Bytes, password: string): Promise<Bytes> {
  const { algorithm, ciphertext } = await encryptPbes2(contents, password, 'pbkdf2', iterations);
  const encrypted = encode(
    tags.sequence,
    encodeOid(oids.data),
    algorithm,
    encode(contextPrimitive(0), ciphertext),
  );
  return contentInfo(oids.encryptedData, encode(tags.sequence, encodeInteger(0), encrypted));
}

async function macData(authenticatedSafe: Bytes, password: string): Promise<Bytes> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const { bmp } = passwordForms(password);
  const kdf = { hash: 'sha256', password: bmp, salt, iterations, purpose: 3, length: 32 } as const;
  const mac = hmac('sha256', await pkcs12Kdf(kdf, unboundedWork), authenticatedSafe);
  const algorithm = encode(tags.sequence, encodeOid(oids.sha256), encode(tags.null));
  const digestInfo = encode(tags.sequence, algorithm, encode(tags.octetString, mac));
  return encode(tags.sequence, digestInfo, encode(tags.octetString, salt), encodeInteger(iterations));
}

/**
 * Writes a PKCS#12 file (RFC 7292): AES-256 (PBES2, PBKDF2-SHA256) and a MAC of HMAC-SHA256, which OpenSSL 1.1,
 * Java 8u301, Windows 10 1709 and what is newer read.
 *
 * @returns DER
 * @throws FaultError `invalid-request` for an empty password, a chain of nothing, or a name of more than 200 characters
 */
export async function pkcs12File(entry: Entry, password: string): Promise<Bytes> {
  const given = givenPassword(password);
  const [leaf, ...others] = entry.chain;
  if (!leaf) throw new FaultError({ code: 'invalid-request', detail: 'there is no certificate to export' });
  if (entry.friendlyName.length > 200 || utf8(entry.friendlyName).length > 400) {
    throw new FaultError({ code: 'invalid-request', detail: 'a friendly name has at most 200 characters' });
  }
  const tie = attributes(entry);
  const certificates = encode(
    tags.sequence,
    certificateBag(leaf, tie),
    ...others.map((der) => certificateBag(der)),
  );
  const contents = [await encryptedContents(certificates, given)];
  if (entry.privateKey) {
    const { algorithm, ciphertext } = await encryptPbes2(entry.privateKey, given, 'pbkdf2', iterations);
    const shrouded = encode(tags.sequence, algorithm, encode(tags.octetString, ciphertext));
    const keys = encode(tags.sequence, bag(oids.shroudedKeyBag, shrouded, tie));
    contents.push(contentInfo(oids.data, encode(tags.octetString, keys)));
  }
  const authenticatedSafe = encode(tags.sequence, ...contents);
  return encode(
    tags.sequence,
    encodeInteger(3),
    contentInfo(oids.data, encode(tags.octetString, authenticatedSafe)),
    await macData(authenticatedSafe, given),
  );
}
