import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import {
  createCa,
  encryptedPkcs8,
  fingerprints,
  generateKeyPair,
  type Issuer,
  importKeyMaterial,
  issueCertificate,
  type KeyPair,
  keyFacts,
  opensshPrivateKey,
  pkcs12File,
  rfc4716PublicKey,
  sshBlobOf,
  sshfpRecord,
  sshPublicKeyLine,
  toPem,
  toPemChain,
} from '@sallyport/pki';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.ts';
import { certificateSha256, keygenFacts } from './corpus.ts';
import { must } from './tools.ts';

const password = 'pass phrase: äß€';
const notBefore = new Date(Date.now() - 3_600_000);
const notAfter = new Date(Date.now() + 86_400_000);
const folder = temporaryFolder();

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

let ca: Issuer;
beforeAll(async () => {
  ca = await createCa({ commonName: 'Export CA', keyType: 'ecdsa-p384', notBefore, notAfter });
});

const types = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'rsa-3072'] as const;

describe.each(types)('a key of %s', (type) => {
  let keys: KeyPair;
  let certificate: Uint8Array<ArrayBuffer>;
  let spkiPem = '';
  beforeAll(async () => {
    keys = await generateKeyPair(type);
    spkiPem = toPem('PUBLIC KEY', keys.spki);
    certificate = await issueCertificate({
      issuer: ca,
      spki: keys.spki,
      subject: { commonName: 'export', country: 'DE' },
      sans: [{ type: 'dns', value: 'gate.example' }],
      purpose: 'tls-server',
      notBefore,
      notAfter,
    });
  });

  /** OpenSSL reads a private key and finds the same public one. */
  const readByOpenssl = async (path: string, ...args: string[]): Promise<void> => {
    expect(await must('openssl', ['pkey', '-in', path, '-pubout', ...args])).toBe(spkiPem);
  };

  it('is read by OpenSSL in PEM and DER, and encrypted by PBKDF2 and scrypt', async () => {
    await readByOpenssl(file(`${type}.pem`, toPem('PRIVATE KEY', keys.privateKey)));
    await readByOpenssl(file(`${type}.der`, keys.privateKey));
    for (const protection of ['pbkdf2', 'scrypt'] as const) {
      const der = await encryptedPkcs8(keys.privateKey, password, protection);
      const path = file(`${type}.${protection}`, toPem('ENCRYPTED PRIVATE KEY', der));
      await readByOpenssl(path, '-passin', `pass:${password}`);
      const imported = await importKeyMaterial(der, { password });
      expect(unwrap(imported)).toMatchObject({
        form: 'private-key',
        spki: keys.spki,
        pkcs8: keys.privateKey,
      });
    }
  });

  it('is read by OpenSSL in PKCS#12, with its chain', async () => {
    const p12 = await pkcs12File(
      { privateKey: keys.privateKey, chain: [certificate, ca.certificate], friendlyName: 'gäte one' },
      password,
    );
    const path = file(`${type}.p12`, p12);
    const read = ['pkcs12', '-in', path, '-passin', `pass:${password}`];
    const key = file(`${type}.p12.key`, await must('openssl', [...read, '-nocerts', '-noenc']));
    await readByOpenssl(key);
    const leaf = file(`${type}.p12.crt`, await must('openssl', [...read, '-nokeys', '-clcerts']));
    expect(await certificateSha256(leaf)).toBe(fingerprints(certificate).sha256);
    const chain = file(`${type}.p12.ca`, await must('openssl', [...read, '-nokeys', '-cacerts']));
    expect(await must('openssl', ['verify', '-CAfile', chain, leaf])).toContain('OK');
    const info = await must('certtool', ['--p12-info', '--inder', '--infile', path, '--password', password]);
    expect(info).toContain('BEGIN CERTIFICATE');
    const imported = unwrap(await importKeyMaterial(p12, { password }));
    expect(imported).toMatchObject({ form: 'private-key', name: 'gäte one', chain: [{}, {}], extra: [] });
  });

  it('is read by ssh-keygen in clear and with a passphrase, and by puttygen', async () => {
    const blob = unwrap(sshBlobOf(keys.spki));
    const facts = unwrap(keyFacts(keys.spki));
    for (const passphrase of [undefined, password]) {
      const text = await opensshPrivateKey(keys.privateKey, 'mine', passphrase);
      const path = file(`${type}.ssh${passphrase === undefined ? '' : '.locked'}`, text);
      const line = await must('ssh-keygen', ['-y', '-P', passphrase ?? '', '-f', path]);
      expect(line.trim()).toBe(sshPublicKeyLine(blob, 'mine'));
      const imported = unwrap(await importKeyMaterial(utf8(text), { password: passphrase }));
      expect(imported).toMatchObject({ form: 'private-key', spki: keys.spki, name: 'mine' });
      const secret = file(`${type}.pass`, passphrase ?? '');
      const seen = await must('puttygen', [path, '--old-passphrase', secret, '-l', '-E', 'sha256']);
      expect(seen).toContain(facts.sshFingerprint);
    }
  });

  it('is read by ssh-keygen as a public key, and its records and fingerprints are the same', async () => {
    const blob = unwrap(sshBlobOf(keys.spki));
    const openssh = file(`${type}.pub`, `${sshPublicKeyLine(blob, 'mine')}\n`);
    const rfc = file(`${type}.rfc`, rfc4716PublicKey(blob, `a comment that is long ${'x'.repeat(100)}`));
    const { sshFingerprint, bits } = unwrap(keyFacts(keys.spki));
    expect(await keygenFacts(openssh)).toMatchObject({ fingerprint: sshFingerprint, bits });
    const read = await must('ssh-keygen', ['-i', '-f', rfc]);
    expect(read.trim()).toBe(sshPublicKeyLine(blob));
    expect((await must('ssh-keygen', ['-r', 'gate.example', '-f', openssh])).split('\n')).toContain(
      sshfpRecord('gate.example', blob),
    );
    const own = fingerprints(blob);
    expect(own.sha256Base64).toBe(sshFingerprint);
    expect(await must('ssh-keygen', ['-l', '-E', 'md5', '-f', openssh])).toContain(`MD5:${own.md5}`);
  });

  it('has a certificate with the fingerprints that OpenSSL tells', async () => {
    const path = file(`${type}.chain`, toPemChain([certificate, ca.certificate]));
    const own = fingerprints(certificate);
    for (const [name, digest] of [
      ['md5', own.md5.replaceAll(':', '')],
      ['sha1', own.sha1],
      ['sha256', own.sha256],
    ] as const) {
      const shown = await must('openssl', ['x509', '-in', path, '-noout', '-fingerprint', `-${name}`]);
      expect(shown.trim().replace(/^.*=/, '').replaceAll(':', '').toLowerCase()).toBe(digest);
    }
  });
});

describe('what is not exported', () => {
  it('a private key without a password', async () => {
    const { privateKey } = await generateKeyPair('ed25519');
    const refused = { fault: { code: 'invalid-request' } };
    await expect(encryptedPkcs8(privateKey, '')).rejects.toMatchObject(refused);
    await expect(opensshPrivateKey(privateKey, '', '')).rejects.toMatchObject(refused);
    const entry = { privateKey, chain: [ca.certificate], friendlyName: 'x' };
    await expect(pkcs12File(entry, '')).rejects.toMatchObject(refused);
    await expect(pkcs12File({ ...entry, chain: [] }, 'x')).rejects.toMatchObject(refused);
  });
});
