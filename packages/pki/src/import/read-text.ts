import { type Bytes, copyOf, fromBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { type AuthorizedKey, parseAuthorizedKey } from '../authorized-key.ts';
import { DerReader, tags } from '../der.ts';
import { keyFacts } from '../key-facts.ts';
import { type PemBlock, readPemBlocks } from '../pem.ts';
import { encodeSpki } from '../public-key.ts';
import { parseSshCertificate } from '../ssh-certificate.ts';
import { parseSshBlob } from '../ssh-key.ts';
import { readOpensshPrivateKey } from './openssh-private.ts';
import { readPpk } from './ppk.ts';
import { type DerKind, mostCertificates, readCertificates, readDer, readDerOf } from './read-der.ts';
import { type Contents, type Reading, refusal } from './reading.ts';
import { isRfc4716, readRfc4716 } from './rfc4716.ts';
import { openTraditionalPem } from './traditional-pem.ts';

const mostCharacters = 1_048_576;
/** Characters of a file that holds one SSH key. */
const mostKeyCharacters = 65_536;
const mostLines = 1_000;

const kinds: Readonly<Record<string, DerKind>> = {
  PKCS7: 'pkcs7',
  CMS: 'pkcs7',
  PKCS12: 'pkcs12',
  'PRIVATE KEY': 'pkcs8',
  'ENCRYPTED PRIVATE KEY': 'encrypted-pkcs8',
  'RSA PRIVATE KEY': 'pkcs1-private',
  'EC PRIVATE KEY': 'sec1',
  'DSA PRIVATE KEY': 'dsa',
  'PUBLIC KEY': 'spki',
  'RSA PUBLIC KEY': 'pkcs1-public',
  'CERTIFICATE REQUEST': 'certificate-request',
  'NEW CERTIFICATE REQUEST': 'certificate-request',
  'X509 CRL': 'crl',
};

const certificateLabels: ReadonlySet<string> = new Set([
  'CERTIFICATE',
  'X509 CERTIFICATE',
  'TRUSTED CERTIFICATE',
]);

/** DER of a certificate; OpenSSL appends its own settings to a trusted one. */
function certificateOf({ label, der }: PemBlock): Bytes {
  return label === 'TRUSTED CERTIFICATE' ? copyOf(new DerReader(der).next(tags.sequence).raw) : der;
}

/** Blocks that say nothing that the key beside them does not say too. */
const passedOver: ReadonlySet<string> = new Set(['EC PARAMETERS', 'DH PARAMETERS']);

async function readBlock(block: PemBlock, reading: Reading): Promise<Contents> {
  const { label } = block;
  if (label === 'OPENSSH PRIVATE KEY')
    return { privateKeys: [await readOpensshPrivateKey(block.der, reading)] };
  const kind = kinds[label];
  if (!kind) throw refusal('key-material-unrecognised', `PEM of ${label}`);
  // A PKCS#7 or PKCS#12 may be BER.
  if (kind === 'pkcs7' || kind === 'pkcs12') return readDer(block.der, reading);
  if (kind === 'pkcs1-private' || kind === 'sec1') {
    reading.recognised = kind === 'sec1' ? 'SEC1 private key' : 'PKCS#1 private key';
    return readDerOf(kind, openTraditionalPem(block, reading), reading);
  }
  return readDerOf(kind, block.der, reading);
}

async function readPem(text: string, reading: Reading): Promise<Contents> {
  reading.recognised = 'PEM';
  const all = readPemBlocks(text, { blocks: mostCertificates + 10, characters: mostCharacters });
  if (typeof all === 'string') throw refusal('key-malformed', all);
  const blocks = all.filter(({ label }) => !passedOver.has(label));
  const isCertificate = ({ label }: PemBlock): boolean => certificateLabels.has(label);
  const certificates = blocks.filter(isCertificate).map(certificateOf);
  if (certificates.length > mostCertificates) {
    throw refusal('certificate-malformed', `more than ${mostCertificates} certificates`);
  }
  const others = blocks.filter((block) => !isCertificate(block));
  if (blocks.length === 0) throw refusal('key-malformed', 'there is no key or certificate in it');
  reading.recognised = certificates.length === 1 ? 'X.509 certificate (PEM)' : 'X.509 certificates (PEM)';
  const read: Contents[] = [{ certificates: readCertificates(certificates, reading) }];
  for (const block of others) read.push(await readBlock(block, reading));
  if (blocks.length > 1) reading.recognised = `PEM of ${blocks.length} blocks`;
  else if (others.length === 1) reading.recognised += ' (PEM)';
  return {
    certificates: read.flatMap((contents) => contents.certificates ?? []),
    privateKeys: read.flatMap((contents) => contents.privateKeys ?? []),
    publicKeys: read.flatMap((contents) => contents.publicKeys ?? []),
  };
}

function keyOfBlob(blob: Bytes, comment: string, { leastRsaBits }: Reading): AuthorizedKey {
  const spki = encodeSpki(unwrap(parseSshBlob(blob, leastRsaBits)));
  return { blob, spki, facts: unwrap(keyFacts(spki, leastRsaBits)), comment, options: {} };
}

const certificateLine = /^(\S+-cert-v01@openssh\.com)[ \t]+([A-Za-z0-9+/=]+)(?:[ \t]+(.*))?$/;
const keyLine = /(?:^|[\s"])(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+[ \t]+AAAA/;

/** Lines of an authorized_keys file or of a file of an OpenSSH public key or certificate. */
function readLines(text: string, reading: Reading): Contents {
  const lines = text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length > mostLines) throw refusal('key-malformed', `more than ${mostLines} lines`);
  const publicKeys: AuthorizedKey[] = [];
  const sshCertificates: NonNullable<Contents['sshCertificates']>[number][] = [];
  for (const [at, line] of lines.entries()) {
    const [, type, base64 = '', comment = ''] = certificateLine.exec(line) ?? [];
    const which = lines.length === 1 ? '' : `line ${at + 1}: `;
    if (type !== undefined) {
      reading.recognised = 'OpenSSH certificate';
      let blob: Bytes;
      try {
        blob = fromBase64(base64);
      } catch {
        throw refusal('certificate-malformed', `${which}not base64`);
      }
      const read = parseSshCertificate(blob, reading.leastRsaBits);
      if (!read.ok) throw refusal(read.fault.code, `${which}${read.fault.detail ?? ''}`);
      sshCertificates.push({ certificate: read.value, comment });
      continue;
    }
    reading.recognised = 'OpenSSH public key';
    const read = parseAuthorizedKey(line, {
      holds: ['from', 'cert-authority'],
      leastRsaBits: reading.leastRsaBits,
    });
    if (!read.ok) throw refusal(read.fault.code, `${which}${read.fault.detail ?? ''}`);
    publicKeys.push(read.value);
  }
  return { publicKeys, sshCertificates };
}

/** PEM whose first and last line were lost on the way. */
function bareBase64(text: string): Bytes | undefined {
  const body = text.replace(/\s+/g, '');
  if (!/^M[A-Za-z0-9+/]{30,}={0,2}$/.test(body)) return undefined;
  try {
    return fromBase64(body);
  } catch {
    return undefined;
  }
}

/**
 * Reads text: PEM, OpenSSH, RFC 4716 and PuTTY files.
 *
 * @param octets the same text with one octet in each character
 * @throws DerError, SshWireError or FaultError
 */
export async function readText(text: string, octets: string, reading: Reading): Promise<Contents> {
  const short = (): void => {
    if (text.length > mostKeyCharacters)
      throw refusal('key-malformed', `more than ${mostKeyCharacters} characters`);
  };
  if (/^PuTTY-User-Key-File-/m.test(text.slice(0, 100))) {
    short();
    return { privateKeys: [await readPpk(octets.trimStart(), reading)] };
  }
  if (/^-----BEGIN [A-Z0-9 .]{1,64}-----/m.test(text)) return readPem(text, reading);
  if (isRfc4716(text)) {
    short();
    reading.recognised = 'SSH public key (RFC 4716)';
    const { blob, comment } = readRfc4716(text);
    return { publicKeys: [keyOfBlob(blob, comment, reading)] };
  }
  if (text.startsWith('---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----')) {
    reading.recognised = 'ssh.com private key';
    throw refusal('key-unsupported', 'convert it with puttygen or ssh-keygen');
  }
  if (text.startsWith('SSH PRIVATE KEY FILE FORMAT 1.1')) {
    reading.recognised = 'SSH-1 private key';
    throw refusal('key-unsupported', 'SSH-1 is not secure');
  }
  if (keyLine.test(text)) return readLines(text, reading);
  const der = bareBase64(text);
  if (der) {
    const contents = await readDer(der, reading);
    reading.recognised += ' (base64)';
    return contents;
  }
  throw refusal('key-material-unrecognised', 'text that is no key and no certificate');
}
