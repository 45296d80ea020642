import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import type { SubjectAltName } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import {
  createCa,
  createCertificateRequest,
  generateKeyPair,
  issueFromRequest,
  parseCertificate,
  parseCertificateRequest,
  toPem,
} from './index.ts';

const subject = { commonName: 'gate.example', organization: 'Söhne', country: 'DE' };
const sans: readonly SubjectAltName[] = [
  { type: 'dns', value: 'gate.example' },
  { type: 'ip', value: '2001:db8::1' },
];

describe.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048'] as const)(
  'a request for a key of %s',
  (type) => {
    it('is verified by OpenSSL and by us, and becomes the certificate that the caller chose', async () => {
      const keys = await generateKeyPair(type);
      const der = await createCertificateRequest(keys, { subject, sans });
      const file = join(temporaryFolder(), 'request');
      writeFileSync(file, toPem('CERTIFICATE REQUEST', der));
      const { code, stdout, stderr } = await run('openssl', [
        'req',
        '-in',
        file,
        '-verify',
        '-noout',
        '-text',
      ]);
      expect(code, stderr).toBe(0);
      expect(`${stdout}${stderr}`).toContain('verify OK');
      expect(stdout).toContain('DNS:gate.example, IP Address:2001:DB8:0:0:0:0:0:1');
      const request = unwrap(await parseCertificateRequest(der));
      expect(request).toMatchObject({ subject: 'CN=gate.example,O=Söhne,C=DE', sans, spki: keys.spki });
      const notBefore = new Date(Date.now() - 1_000);
      const notAfter = new Date(Date.now() + 86_400_000);
      const ca = await createCa({ commonName: 'CA', keyType: 'ecdsa-p256', notBefore, notAfter });
      const content = {
        subject: { commonName: 'chosen' },
        sans: [{ type: 'dns', value: 'chosen.example' }],
        purpose: 'tls-server',
        notBefore,
        notAfter,
      } as const;
      expect(unwrap(parseCertificate(await issueFromRequest(request, ca, content)))).toMatchObject({
        subject: 'CN=chosen',
        sans: content.sans,
        spki: keys.spki,
      });
    });
  },
);

it('reads a request that OpenSSL made, without names and with', async () => {
  const folder = temporaryFolder();
  const make = [
    'req',
    '-new',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=x',
    '-keyout',
    join(folder, 'key'),
  ];
  for (const more of [[], ['-addext', 'subjectAltName=email:a@b.example,URI:https://x.example/']]) {
    const out = join(folder, 'request');
    await run('openssl', [...make, ...more, '-outform', 'DER', '-out', out]);
    const request = unwrap(await parseCertificateRequest(readFileSync(out)));
    expect(request.subject).toBe('CN=x');
    expect(request.sans.map(({ type }) => type)).toEqual(more.length === 0 ? [] : ['email', 'uri']);
  }
});

describe('what is refused', () => {
  const malformed = { ok: false, fault: { code: 'csr-malformed' } };

  it('keys that do not belong together, and names that cannot be', async () => {
    const [one, other] = [await generateKeyPair('ed25519'), await generateKeyPair('ed25519')];
    const mixed = { privateKey: one.privateKey, spki: other.spki };
    await expect(createCertificateRequest(mixed, { subject, sans })).rejects.toMatchObject({
      fault: { code: 'key-mismatch' },
    });
    await expect(createCertificateRequest(one, { subject: { commonName: '' }, sans })).rejects.toMatchObject({
      fault: { code: 'invalid-request' },
    });
  });

  it('every truncation and every flipped byte', async () => {
    const der = await createCertificateRequest(await generateKeyPair('ed25519'), { subject, sans: [] });
    for (const at of der.keys()) {
      expect(await parseCertificateRequest(der.subarray(0, at)), `cut to ${at}`).toMatchObject({ ok: false });
      const flipped = der.with(at, (der[at] as number) ^ 1);
      expect(await parseCertificateRequest(flipped), `byte ${at}`).toMatchObject({ ok: false });
    }
    expect(await parseCertificateRequest(Uint8Array.of(...der, 0))).toMatchObject(malformed);
    expect(await parseCertificateRequest(utf8('garbage'))).toMatchObject(malformed);
    expect(await parseCertificateRequest(new Uint8Array(70_000))).toMatchObject(malformed);
  });
});
