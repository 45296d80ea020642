import { type Bytes, concat, copyOf, equalConstantTime, fromBase64, fromUtf8, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { decryptCbc } from '../cipher/cbc.ts';
import { DerError } from '../der.ts';
import { fieldBytes } from '../elliptic-curve.ts';
import { type Argon2Kind, argon2 } from '../kdf/derive-key.ts';
import { hash, hmac } from '../kdf/hash.ts';
import { inWidth, type PrivateKeyParts, provePrivateKey } from '../private-key.ts';
import { parseSshBlob } from '../ssh-key.ts';
import { SshReader, SshWireError, sshString } from '../ssh-wire.ts';
import { type NamedPrivateKey, neededPassword, type Reading, refusal, wrongPassword } from './reading.ts';

/** The fields of a file; texts hold one octet in each character, since the MAC covers octets. */
type PpkFile = {
  readonly version: 2 | 3;
  readonly algorithm: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly publicBlob: Bytes;
  readonly privateBlob: Bytes;
};

const mostLines = 4_096;
const malformed = (what: string) => refusal('key-malformed', what);
const octets = (text: string): Bytes => Uint8Array.from(text, (character) => character.charCodeAt(0));

function base64(lines: readonly string[]): Bytes {
  try {
    return fromBase64(lines.join(''));
  } catch {
    throw malformed('its lines are not base64');
  }
}

function readFile(text: string): PpkFile {
  const lines = text.split(/\r\n|\n|\r/);
  const fields = new Map<string, string>();
  let [publicBlob, privateBlob]: (Bytes | undefined)[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line === '') continue;
    const match = /^([A-Za-z0-9-]{1,40}): ?(.*)$/.exec(line);
    if (!match) throw malformed('a line has no name');
    const [, name = '', value = ''] = match;
    if (fields.has(name)) throw malformed(`${name} is there twice`);
    fields.set(name, value);
    if (name !== 'Public-Lines' && name !== 'Private-Lines') continue;
    const count = /^\d{1,4}$/.test(value) ? Number(value) : mostLines;
    if (count >= mostLines || at + count >= lines.length) throw malformed(`${name} is more than there is`);
    const blob = base64(lines.slice(at + 1, at + 1 + count));
    if (name === 'Public-Lines') publicBlob = blob;
    else privateBlob = blob;
    at += count;
  }
  const [first = ''] = fields.keys();
  const version = /^PuTTY-User-Key-File-(\d+)$/.exec(first)?.[1];
  if (version !== '2' && version !== '3')
    throw refusal('key-unsupported', `PuTTY key file of version ${version}`);
  if (!publicBlob || !privateBlob) throw malformed('a part of the file is missing');
  return {
    version: version === '2' ? 2 : 3,
    algorithm: fields.get(first) as string,
    fields,
    publicBlob,
    privateBlob,
  };
}

/** Keys of the cipher and of the MAC. */
type Secrets = { readonly key: Bytes; readonly iv: Bytes; readonly macKey: Bytes };

const argon2Names: Readonly<Record<string, Argon2Kind>> = {
  Argon2d: 'argon2d',
  Argon2i: 'argon2i',
  Argon2id: 'argon2id',
};

async function secretsOf({ version, fields }: PpkFile, password: Bytes, reading: Reading): Promise<Secrets> {
  if (version === 2) {
    const half = (counter: number): Bytes => hash('sha1', concat(Uint8Array.of(0, 0, 0, counter), password));
    return {
      key: concat(half(0), half(1)).slice(0, 32),
      iv: new Uint8Array(16),
      macKey: hash('sha1', concat(utf8('putty-private-key-file-mac-key'), password)),
    };
  }
  const number = (name: string): number => {
    const text = fields.get(name) ?? '';
    if (!/^\d{1,9}$/.test(text)) throw malformed(`${name} is no number`);
    return Number(text);
  };
  const kindName = fields.get('Key-Derivation') ?? '';
  const kind = argon2Names[kindName];
  if (!kind) throw refusal('key-unsupported', 'a key derivation other than Argon2');
  const salt = fields.get('Argon2-Salt') ?? '';
  if (!/^(?:[0-9a-fA-F]{2}){8,256}$/.test(salt)) throw malformed('Argon2-Salt is not hexadecimal');
  const material = await argon2(
    {
      kind,
      password,
      salt: Uint8Array.from(salt.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
      kibibytes: number('Argon2-Memory'),
      passes: number('Argon2-Passes'),
      parallelism: number('Argon2-Parallelism'),
      length: 80,
    },
    reading.budget,
  );
  return { key: material.slice(0, 32), iv: material.slice(32, 48), macKey: material.slice(48) };
}

/** Private numbers in clear, their MAC checked. */
async function openPrivate(file: PpkFile, reading: Reading): Promise<Bytes> {
  const { version, fields } = file;
  const encryption = fields.get('Encryption') ?? '';
  const nothing = new Uint8Array(0);
  let macKey = version === 2 ? hash('sha1', utf8('putty-private-key-file-mac-key')) : nothing;
  let plain = file.privateBlob;
  if (encryption === 'aes256-cbc') {
    const secrets = await secretsOf(file, utf8(neededPassword(reading)), reading);
    macKey = secrets.macKey;
    const opened = decryptCbc({ kind: 'aes', keyLength: 32 }, secrets.key, secrets.iv, file.privateBlob);
    if (!opened) throw malformed('the private part is not whole blocks');
    plain = opened;
  } else if (encryption !== 'none') throw refusal('key-unsupported', 'a cipher that PuTTY does not write');
  const covered = concat(
    sshString(octets(file.algorithm)),
    sshString(octets(encryption)),
    sshString(octets(fields.get('Comment') ?? '')),
    sshString(file.publicBlob),
    sshString(plain),
  );
  const mac = hmac(version === 2 ? 'sha1' : 'sha256', macKey, covered);
  const stated = (fields.get('Private-MAC') ?? '').toLowerCase();
  const expected = Array.from(mac, (octet) => octet.toString(16).padStart(2, '0')).join('');
  if (equalConstantTime(octets(stated), octets(expected))) return plain;
  throw encryption === 'none' ? malformed('its MAC does not fit: the file was changed') : wrongPassword();
}

function readParts(publicBlob: Bytes, plain: Bytes, reading: Reading): PrivateKeyParts {
  const publicKey = unwrap(parseSshBlob(publicBlob, reading.leastRsaBits));
  const reader = new SshReader(plain);
  // Behind the numbers stands filling up to the block, which the MAC covers.
  switch (publicKey.type) {
    case 'rsa': {
      const number = (): Bytes => copyOf(reader.positiveMpint());
      const [d, p, q, coefficient] = [number(), number(), number(), number()];
      return { ...publicKey, d, p, q, coefficient };
    }
    case 'ed25519': {
      const seed = copyOf(reader.string());
      if (seed.length !== 32) throw new DerError('an Ed25519 key has 32 octets');
      return { ...publicKey, seed };
    }
    default:
      return { ...publicKey, scalar: inWidth(reader.positiveMpint(), fieldBytes(publicKey.type)) };
  }
}

/**
 * Reads a PuTTY private key file of version 2 or 3 (PuTTY manual, appendix C).
 *
 * @param text one octet in each character
 * @throws SshWireError, DerError or FaultError
 */
export async function readPpk(text: string, reading: Reading): Promise<NamedPrivateKey> {
  reading.recognised = 'PuTTY private key';
  const file = readFile(text);
  reading.recognised = `PuTTY private key, version ${file.version}`;
  if (new SshReader(file.publicBlob).text() !== file.algorithm) {
    throw new SshWireError('the key is not of the type that the file names');
  }
  unwrap(parseSshBlob(file.publicBlob, reading.leastRsaBits));
  const plain = await openPrivate(file, reading);
  const key = await provePrivateKey(readParts(file.publicBlob, plain, reading), reading.leastRsaBits);
  const comment = file.fields.get('Comment') ?? '';
  let name = comment;
  try {
    name = fromUtf8(octets(comment));
  } catch {
    // An old file in Latin-1, which is what the characters are.
  }
  return { ...key, name };
}
