import { unwrap } from '@sallyport/faults';
import { expect, it } from 'vitest';
import { generateKeyPair, readPemCertificates, readPemPrivateKey, toPem } from './index.ts';

const some = Uint8Array.from({ length: 100 }, (_, i) => i);

it.each([
  ['nothing', ''],
  ['no block', 'hello'],
  ['a private key beside it', toPem('CERTIFICATE', some) + toPem('PRIVATE KEY', some)],
  ['eleven', toPem('CERTIFICATE', some).repeat(11)],
  ['no end', '-----BEGIN CERTIFICATE-----\nAAAA\n'],
  ['an end alone', '-----END CERTIFICATE-----'],
  ['another end', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----'],
  ['a begin inside', '-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n'],
  ['no base64', '-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----'],
  ['a very long text', 'x'.repeat(300_000)],
])('refuses certificates: %s', (_, text) => {
  expect(readPemCertificates(text)).toMatchObject({ ok: false, fault: { code: 'certificate-malformed' } });
});

it('takes ten certificates', () => {
  expect(unwrap(readPemCertificates(toPem('CERTIFICATE', some).repeat(10)))).toHaveLength(10);
});

it('reads one PKCS#8 private key and nothing else', async () => {
  const { privateKey } = await generateKeyPair('ed25519');
  const pem = toPem('PRIVATE KEY', privateKey);
  expect(unwrap(readPemPrivateKey(pem))).toEqual(privateKey);
  for (const text of [
    pem + pem,
    '',
    toPem('PRIVATE KEY', some),
    toPem('PRIVATE KEY', privateKey.slice(0, 40)),
  ]) {
    expect(readPemPrivateKey(text)).toMatchObject({ ok: false, fault: { code: 'key-malformed' } });
  }
  for (const label of ['ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'CERTIFICATE']) {
    expect(readPemPrivateKey(toPem(label, privateKey))).toMatchObject({
      ok: false,
      fault: { code: 'key-unsupported' },
    });
  }
});
