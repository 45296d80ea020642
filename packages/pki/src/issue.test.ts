import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import type { SubjectAltName } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import {
  type CertificatePurpose,
  createCa,
  generateKeyPair,
  type Issuer,
  issueCertificate,
  keyFacts,
  parseAuthorizedKey,
  parseCertificate,
  privateKeyMatches,
  readPemCertificates,
  selfSignedCertificate,
  toPem,
} from './index.ts';

const notBefore = new Date(Date.now() - 3_600_000);
const notAfter = new Date(Date.now() + 86_400_000);

async function openssl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run('openssl', args);
  if (code !== 0) throw new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

function onDisk(...ders: readonly Bytes[]): string[] {
  const folder = temporaryFolder();
  return ders.map((der, i) => {
    const file = join(folder, `${i}.pem`);
    writeFileSync(file, toPem('CERTIFICATE', der));
    return file;
  });
}

const everyName: readonly SubjectAltName[] = [
  { type: 'dns', value: 'gate.example' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
  { type: 'ip', value: '2001:db8::ff00:42:8329' },
  { type: 'email', value: 'ops@gate.example' },
  { type: 'uri', value: 'https://gate.example/' },
];

const issue = async (issuer: Issuer, purpose: CertificatePurpose, sans = everyName): Promise<Bytes> =>
  issueCertificate({
    issuer,
    spki: (await generateKeyPair('ecdsa-p256')).spki,
    subject: { commonName: 'gate, one' },
    sans,
    purpose,
    notBefore,
    notAfter,
  });

describe.each(['ed25519', 'ecdsa-p256'] as const)('a CA with an %s key', (keyType) => {
  it('is a CA to us and to OpenSSL, and so are its certificates', async () => {
    const ca = await createCa({ commonName: 'Sallyport CA', keyType, notBefore, notAfter });
    const root = unwrap(parseCertificate(ca.certificate));
    expect(root).toMatchObject({
      subject: 'CN=Sallyport CA',
      isCa: true,
      pathLength: 0,
      selfIssued: true,
      keyUsage: ['keyCertSign', 'cRLSign'],
      criticalExtensions: ['2.5.29.19', '2.5.29.15'],
    });
    for (const [purpose, opensslPurpose, eku] of [
      ['tls-server', 'sslserver', '1.3.6.1.5.5.7.3.1'],
      ['tls-client', 'sslclient', '1.3.6.1.5.5.7.3.2'],
    ] as const) {
      const der = await issue(ca, purpose);
      const [caFile = '', file = ''] = onDisk(ca.certificate, der);
      expect(
        await openssl('verify', '-x509_strict', '-purpose', opensslPurpose, '-CAfile', caFile, file),
      ).toContain('OK');
      const parsed = unwrap(parseCertificate(der));
      expect(parsed).toMatchObject({
        subject: 'CN=gate\\, one',
        issuer: 'CN=Sallyport CA',
        issuerDer: root.subjectDer,
        sans: everyName,
        isCa: false,
        keyUsage: ['digitalSignature'],
        extendedKeyUsage: [eku],
        authorityKeyId: root.subjectKeyId,
        selfIssued: false,
      });
      expect(parsed.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
      const shown = await openssl(
        'x509',
        '-in',
        file,
        '-noout',
        '-serial',
        '-fingerprint',
        '-sha256',
        '-text',
      );
      expect(shown).toContain(`serial=${parsed.serial.toUpperCase()}`);
      expect(shown.replaceAll(':', '').toLowerCase()).toContain(`fingerprint=${parsed.sha256}`);
      expect(shown).toContain('IP Address:2001:DB8:0:0:0:FF00:42:8329');
      expect(parsed.notAfter.getTime()).toBe(Math.floor(notAfter.getTime() / 1_000) * 1_000);
    }
  });
});

describe('the wrapper of an SSH key', () => {
  it.each([
    ['ssh-client', '1.3.6.1.5.5.7.3.21'],
    ['ssh-server', '1.3.6.1.5.5.7.3.22'],
  ] as const)('for %s has one critical purpose, and OpenSSL refuses it for TLS', async (purpose, eku) => {
    const far = new Date('9999-12-31T23:59:59Z');
    const ca = await createCa({
      commonName: 'Wrapping issuer',
      keyType: 'ed25519',
      notBefore,
      notAfter: far,
    });
    const key = join(temporaryFolder(), 'key');
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', key]);
    const { spki } = unwrap(parseAuthorizedKey(readFileSync(`${key}.pub`, 'utf8')));
    const der = await issueCertificate({
      issuer: ca,
      spki,
      subject: { commonName: 'acme' },
      sans: [],
      purpose,
      notBefore,
      notAfter: far,
    });
    const parsed = unwrap(parseCertificate(der));
    expect(parsed.extendedKeyUsage).toEqual([eku]);
    expect(parsed.criticalExtensions).toContain('2.5.29.37');
    expect(parsed.spki).toEqual(spki);
    expect(parsed.notAfter).toEqual(far);
    const [caFile = '', file = ''] = onDisk(ca.certificate, der);
    expect(await openssl('verify', '-CAfile', caFile, file)).toContain('OK');
    for (const tls of ['sslclient', 'sslserver']) {
      const { code } = await run('openssl', ['verify', '-purpose', tls, '-CAfile', caFile, file]);
      expect(code, tls).not.toBe(0);
    }
  });
});

describe('what is not issued', () => {
  it('a server without a name', async () => {
    const ca = await createCa({ commonName: 'CA', keyType: 'ed25519', notBefore, notAfter });
    await expect(issue(ca, 'tls-server', [])).rejects.toMatchObject({
      fault: { code: 'certificate-purpose' },
    });
    await expect(issue(ca, 'tls-client', [])).resolves.toBeInstanceOf(Uint8Array);
  });

  it('a name that is not ASCII, and a key that is not accepted', async () => {
    const ca = await createCa({ commonName: 'CA', keyType: 'ed25519', notBefore, notAfter });
    await expect(issue(ca, 'tls-server', [{ type: 'dns', value: 'gäte' }])).rejects.toMatchObject({
      fault: { code: 'invalid-request' },
    });
    const request = { subject: { commonName: 'x' }, sans: [], notBefore, notAfter, issuer: ca };
    await expect(
      issueCertificate({ ...request, purpose: 'tls-client', spki: utf8('garbage') }),
    ).rejects.toMatchObject({ fault: { code: 'key-malformed' } });
  });
});

it('writes PEM that is read back, in order', async () => {
  const ca = await createCa({ commonName: 'CA', keyType: 'ed25519', notBefore, notAfter });
  const leaf = await issue(ca, 'tls-client');
  const text = `a bag\n${toPem('CERTIFICATE', leaf)}\n${toPem('CERTIFICATE', ca.certificate)}`;
  expect(unwrap(readPemCertificates(text.replaceAll('\n', '\r\n')))).toEqual([leaf, ca.certificate]);
});

const everyType = [
  ['ed25519', 'ed25519', 256],
  ['ecdsa-p256', 'ecdsa-p256', 256],
  ['ecdsa-p384', 'ecdsa-p384', 384],
  ['ecdsa-p521', 'ecdsa-p521', 521],
  ['rsa-2048', 'rsa', 2048],
  ['rsa-3072', 'rsa', 3072],
] as const;

describe.each(everyType)('a key of %s', (keyType, type, bits) => {
  it('signs itself, and a CA of it signs a CA and a server below', async () => {
    const keys = await generateKeyPair(keyType);
    expect(unwrap(keyFacts(keys.spki))).toMatchObject({ type, bits });
    expect(await privateKeyMatches(keys.spki, keys.privateKey)).toBe(true);
    const subject = {
      commonName: '#Gäte, "one"',
      organization: 'Sallyport + Söhne',
      organizationalUnit: 'Transfer',
      locality: 'Köln',
      state: 'NRW',
      country: 'DE',
    };
    const names = { sans: everyName, notBefore, notAfter };
    const own = await selfSignedCertificate(keys, { ...names, subject, purpose: 'tls-server' });
    const ca = await selfSignedCertificate(keys, {
      ...names,
      sans: [],
      subject: { ...subject, commonName: 'Root' },
      purpose: 'ca',
      pathLength: 1,
    });
    const below = await generateKeyPair('ecdsa-p256');
    const issuer = { certificate: ca, privateKey: keys.privateKey };
    const content = {
      subject: { commonName: 'Middle' },
      sans: [],
      purpose: 'ca',
      notBefore,
      notAfter,
    } as const;
    const middle = await issueCertificate({ ...content, issuer, spki: below.spki });
    const leaf = await issue({ certificate: middle, privateKey: below.privateKey }, 'tls-server');
    const [ownFile = '', rootFile = '', middleFile = '', leafFile = ''] = onDisk(own, ca, middle, leaf);
    expect(await openssl('verify', '-x509_strict', '-CAfile', ownFile, ownFile)).toContain('OK');
    const chain = ['-CAfile', rootFile, '-untrusted', middleFile, '-purpose', 'sslserver'];
    expect(await openssl('verify', '-x509_strict', ...chain, leafFile)).toContain('OK');
    const shown = await openssl(
      'x509',
      '-in',
      ownFile,
      '-noout',
      '-subject',
      '-nameopt',
      'RFC2253,utf8,-esc_msb',
    );
    expect(shown.trim()).toBe(
      'subject=CN=\\#Gäte\\, \\"one\\",OU=Transfer,O=Sallyport \\+ Söhne,L=Köln,ST=NRW,C=DE',
    );
    expect(unwrap(parseCertificate(own)).subject).toBe(shown.trim().slice('subject='.length));
    await expect(
      issueCertificate({
        ...content,
        issuer: { certificate: middle, privateKey: below.privateKey },
        spki: keys.spki,
      }),
    ).rejects.toMatchObject({ fault: { code: 'certificate-purpose' } });
  });
});

describe('what else is not issued', () => {
  const good = {
    subject: { commonName: 'x' },
    sans: [],
    purpose: 'tls-client',
    notBefore,
    notAfter,
  } as const;
  const broken = { fault: { code: 'invalid-request' } };

  it.each([
    ['an empty name', { subject: { commonName: '' } }],
    ['a name of two lines', { subject: { commonName: 'a\nb' } }],
    ['a name of 65 characters', { subject: { commonName: 'a'.repeat(65) } }],
    ['a country of three letters', { subject: { commonName: 'x', country: 'DEU' } }],
    ['a validity that ends first', { notBefore: notAfter, notAfter: notBefore }],
    ['a validity of no date', { notAfter: new Date(Number.NaN) }],
  ])('%s', async (_, change) => {
    const keys = await generateKeyPair('ed25519');
    await expect(selfSignedCertificate(keys, { ...good, ...change })).rejects.toMatchObject(broken);
  });

  it('by a certificate that is no CA, or by a key of another one', async () => {
    const keys = await generateKeyPair('ed25519');
    const { spki, privateKey } = keys;
    const certificate = await selfSignedCertificate(keys, good);
    await expect(
      issueCertificate({ ...good, issuer: { certificate, privateKey }, spki }),
    ).rejects.toMatchObject({ fault: { code: 'certificate-purpose' } });
    for (const keyType of ['ecdsa-p256', 'ed25519'] as const) {
      const ca = await createCa({ commonName: 'CA', keyType, notBefore, notAfter });
      await expect(
        issueCertificate({ ...good, issuer: { certificate: ca.certificate, privateKey }, spki }),
      ).rejects.toMatchObject({ fault: { code: 'key-mismatch' } });
    }
  });
});

it('names where the list of its issuer is published, as OpenSSL reads it', async () => {
  const issuer = await createCa({ commonName: 'CA', keyType: 'ecdsa-p256', notBefore, notAfter });
  const { spki } = await generateKeyPair('ed25519');
  const crlUrl = 'https://control.example/v1/crl/crt_1.crl';
  const content = {
    subject: { commonName: 'x' },
    sans: [],
    purpose: 'tls-client',
    notBefore,
    notAfter,
  } as const;
  const [file = ''] = onDisk(await issueCertificate({ issuer, spki, ...content, crlUrl }));
  const shown = await openssl('x509', '-in', file, '-noout', '-ext', 'crlDistributionPoints');
  expect(shown).toContain(`URI:${crlUrl}`);
});
