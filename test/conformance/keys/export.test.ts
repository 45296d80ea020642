import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64 } from '@sallyport/bytes';
import {
  createCa,
  encryptedPkcs8,
  generateKeyPair,
  opensshPrivateKey,
  pkcs12File,
  toPem,
  toPemChain,
} from '@sallyport/pki';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDeno } from '../../support/deno.ts';
import { temporaryFolder } from '../../support/process.ts';
import { startWorkerd } from '../../support/workerd.ts';
import { certificateSha256, keygenFacts } from './corpus.ts';
import { type Exported, exportJob } from './export-service.ts';
import { must } from './tools.ts';

const passphrase = 'pass phrase: äß€';
const friendlyName = 'gäte one';
const folder = temporaryFolder();
const entry = join(import.meta.dirname, 'export-service.ts');
const types = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'rsa-3072'] as const;
type Type = (typeof types)[number];

/** Where the keys are given out; what reads them are the same tools for all. */
const runtimes: Record<string, () => Promise<{ url: string; stop: () => Promise<unknown> } | undefined>> = {
  Node: async () => undefined,
  workerd: async () => {
    const { url, dispose } = await startWorkerd({ entry });
    return { url, stop: dispose };
  },
  Deno: async () => {
    const { url, stop } = await startDeno({ entry });
    return { url, stop };
  },
};

describe.each(Object.keys(runtimes))('on %s', (runtime) => {
  let service: { url: string; stop: () => Promise<unknown> } | undefined;
  beforeAll(async () => {
    service = await runtimes[runtime]?.();
  }, 120_000);
  afterAll(async () => {
    await service?.stop();
  });

  async function exported(type: Type): Promise<Exported> {
    const job = { type, passphrase, friendlyName };
    if (!service) return exportJob(job);
    const response = await fetch(service.url, { method: 'POST', body: JSON.stringify(job) });
    return (await response.json()) as Exported;
  }

  function file(name: string, content: string | Uint8Array): string {
    const path = join(folder, `${runtime}-${name}`);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  describe.each(types)('a key of %s', (type) => {
    let out: Exported;
    let spkiPem = '';
    beforeAll(async () => {
      out = await exported(type);
      spkiPem = toPem('PUBLIC KEY', fromBase64(out.spki));
    }, 60_000);

    const sameKey = () => ({ form: 'private-key', spki: out.spki, pkcs8: out.privateKey });

    /** OpenSSL reads a private key and finds the same public one. */
    const readByOpenssl = async (path: string, ...args: string[]): Promise<void> => {
      expect(await must('openssl', ['pkey', '-in', path, '-pubout', ...args])).toBe(spkiPem);
    };

    it('is read by OpenSSL in PEM and DER, and encrypted by PBKDF2 and scrypt', async () => {
      const der = fromBase64(out.pkcs8.base64);
      await readByOpenssl(file(`${type}.pem`, toPem('PRIVATE KEY', der)));
      await readByOpenssl(file(`${type}.der`, der));
      for (const protection of ['pbkdf2', 'scrypt'] as const) {
        const { base64, back } = out[protection];
        const path = file(`${type}.${protection}`, toPem('ENCRYPTED PRIVATE KEY', fromBase64(base64)));
        await readByOpenssl(path, '-passin', `pass:${passphrase}`);
        expect(back).toMatchObject(sameKey());
      }
    });

    it('is read by OpenSSL in PKCS#12, with its chain', async () => {
      const path = file(`${type}.p12`, fromBase64(out.pkcs12.base64));
      const read = ['pkcs12', '-in', path, '-passin', `pass:${passphrase}`];
      const key = file(`${type}.p12.key`, await must('openssl', [...read, '-nocerts', '-noenc']));
      await readByOpenssl(key);
      const leaf = file(`${type}.p12.crt`, await must('openssl', [...read, '-nokeys', '-clcerts']));
      expect(await certificateSha256(leaf)).toBe(out.certificateFingerprints.sha256);
      const chain = file(`${type}.p12.ca`, await must('openssl', [...read, '-nokeys', '-cacerts']));
      expect(await must('openssl', ['verify', '-CAfile', chain, leaf])).toContain('OK');
      const info = await must('certtool', [
        '--p12-info',
        '--inder',
        '--infile',
        path,
        '--password',
        passphrase,
      ]);
      expect(info).toContain('BEGIN CERTIFICATE');
      expect(out.pkcs12.back).toMatchObject({ ...sameKey(), name: friendlyName });
      expect(out.pkcs12.back.chain).toHaveLength(2);
    });

    it('is read by ssh-keygen in clear and with a passphrase, and by puttygen', async () => {
      for (const [secret, { base64, back }] of [
        ['', out.openssh],
        [passphrase, out.opensshLocked],
      ] as const) {
        const path = file(`${type}.ssh${secret === '' ? '' : '.locked'}`, fromBase64(base64));
        const line = await must('ssh-keygen', ['-y', '-P', secret, '-f', path]);
        expect(line.trim()).toBe(out.line);
        expect(back).toMatchObject({ form: 'private-key', spki: out.spki, name: 'mine' });
        const secretFile = file(`${type}.pass`, secret);
        const seen = await must('puttygen', [path, '--old-passphrase', secretFile, '-l', '-E', 'sha256']);
        expect(seen).toContain(out.facts.sshFingerprint);
      }
    });

    it('is read by ssh-keygen as a public key, and its records and fingerprints are the same', async () => {
      const openssh = file(`${type}.pub`, `${out.line}\n`);
      const rfc = file(`${type}.rfc`, out.rfc4716);
      const { sshFingerprint, bits } = out.facts;
      expect(await keygenFacts(openssh)).toMatchObject({ fingerprint: sshFingerprint, bits });
      const read = await must('ssh-keygen', ['-i', '-f', rfc]);
      expect(read.trim()).toBe(out.bareLine);
      expect((await must('ssh-keygen', ['-r', 'gate.example', '-f', openssh])).split('\n')).toContain(
        out.sshfp,
      );
      expect(out.keyFingerprints.sha256Base64).toBe(sshFingerprint);
      const md5 = `MD5:${out.keyFingerprints.md5}`;
      expect(await must('ssh-keygen', ['-l', '-E', 'md5', '-f', openssh])).toContain(md5);
    });

    it('has a certificate with the fingerprints that OpenSSL tells', async () => {
      const chain = [out.certificate, out.ca].map(fromBase64);
      const path = file(`${type}.chain`, toPemChain(chain));
      const own = out.certificateFingerprints;
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
});

describe('what is not exported', () => {
  it('a private key without a password', async () => {
    const { privateKey } = await generateKeyPair('ed25519');
    const validity = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
    const ca = await createCa({ commonName: 'Export CA', keyType: 'ecdsa-p384', ...validity });
    const refused = { fault: { code: 'invalid-request' } };
    await expect(encryptedPkcs8(privateKey, '')).rejects.toMatchObject(refused);
    await expect(opensshPrivateKey(privateKey, '', '')).rejects.toMatchObject(refused);
    const entry = { privateKey, chain: [ca.certificate], friendlyName: 'x' };
    await expect(pkcs12File(entry, '')).rejects.toMatchObject(refused);
    await expect(pkcs12File({ ...entry, chain: [] }, 'x')).rejects.toMatchObject(refused);
  });
});
