import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import {
  createCa,
  createCrl,
  crlRevokes,
  generateKeyPair,
  type Issuer,
  issueCertificate,
  type ParsedCertificate,
  parseCertificate,
  parseCrl,
  selfSignedCertificate,
  toPem,
} from './index.ts';

const notBefore = new Date(Date.now() - 3_600_000);
const notAfter = new Date(Date.now() + 86_400_000);
const list = { number: 7n, thisUpdate: notBefore, nextUpdate: notAfter };

let issuer: Issuer;
let ca: ParsedCertificate;
let leaf: Bytes;
let entry: { serial: string; revokedAt: Date; reason: 'keyCompromise' };
beforeAll(async () => {
  issuer = await createCa({ commonName: 'CRL CA', keyType: 'ecdsa-p256', notBefore, notAfter });
  ca = unwrap(parseCertificate(issuer.certificate));
  leaf = await issueCertificate({
    issuer,
    spki: (await generateKeyPair('ed25519')).spki,
    subject: { commonName: 'leaf' },
    sans: [],
    purpose: 'tls-client',
    notBefore,
    notAfter,
  });
  const { serial } = unwrap(parseCertificate(leaf));
  entry = { serial, revokedAt: new Date('2026-06-01T00:00:00Z'), reason: 'keyCompromise' };
});

describe.each(['ed25519', 'ecdsa-p256', 'ecdsa-p521', 'rsa-2048'] as const)('a CRL by %s', (keyType) => {
  it('is verified by OpenSSL and by us, and revokes', async () => {
    const by = await createCa({ commonName: 'CA', keyType, notBefore, notAfter });
    const far = { serial: 'ff00112233445566778899aabbccddeeff', revokedAt: new Date('2051-01-01T00:00:00Z') };
    const der = await createCrl(by, { ...list, number: 200n, entries: [entry, far] });
    const folder = temporaryFolder();
    const [caFile, crlFile] = [join(folder, 'ca'), join(folder, 'crl')];
    writeFileSync(caFile, toPem('CERTIFICATE', by.certificate));
    writeFileSync(crlFile, toPem('X509 CRL', der));
    const { stdout, stderr } = await run('openssl', [
      'crl',
      '-in',
      crlFile,
      '-CAfile',
      caFile,
      '-noout',
      '-text',
    ]);
    expect(stderr).toContain('verify OK');
    expect(stdout).toMatch(/X509v3 CRL Number:\s*\n\s*200\n/);
    expect(stdout).toContain(`Serial Number: ${entry.serial.toUpperCase()}`);
    expect(stdout).toContain('Key Compromise');
    expect(stdout).toContain('Jan  1 00:00:00 2051 GMT');
    const crl = unwrap(await parseCrl(der, unwrap(parseCertificate(by.certificate))));
    expect(crl).toMatchObject({ issuer: 'CN=CA', number: 200n });
    expect([...crl.revoked.values()]).toEqual([entry, far]);
  });
});

it('tells who is revoked, and nothing of the certificates of others', async () => {
  const certificate = unwrap(parseCertificate(leaf));
  const crl = unwrap(await parseCrl(await createCrl(issuer, { ...list, entries: [entry] }), ca));
  expect(crlRevokes(crl, certificate)).toEqual(entry);
  expect(crlRevokes(crl, { ...certificate, serial: '01' })).toBeUndefined();
  expect(crlRevokes(crl, { ...certificate, issuerDer: certificate.subjectDer })).toBeUndefined();
  const empty = unwrap(await parseCrl(await createCrl(issuer, { ...list, entries: [] }), ca));
  expect(empty.revoked.size).toBe(0);
});

it('holds 100,000 entries', async () => {
  const revokedAt = new Date('2026-01-01T00:00:00Z');
  const entries = Array.from({ length: 100_000 }, (_, i) => ({
    serial: (0x400000 + i).toString(16),
    revokedAt,
  }));
  const der = await createCrl(issuer, { ...list, entries });
  expect(unwrap(await parseCrl(der, ca)).revoked.size).toBe(100_000);
});

describe('lists that OpenSSL makes', () => {
  /** A CRL by `openssl ca`, with an extensions section of these lines. */
  async function byOpenssl(
    extensions: string,
    ...more: string[]
  ): Promise<{ crl: Bytes; ca: ParsedCertificate }> {
    const folder = temporaryFolder();
    const at = (name: string): string => join(folder, name);
    const config = `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('db')}\ncrlnumber=${at('number')}\ndefault_md=sha256\ndefault_crl_days=9\n${extensions === '' ? '' : 'crl_extensions=e'}\n[e]\n${extensions}\n[p]\nfullname=URI:http://x.example/crl\nonlyuser=TRUE\n[i]\nindirectCRL=TRUE\n`;
    writeFileSync(at('config'), config);
    const line = ['R', '400101000000Z', '260101000000Z,superseded', '1A2B', 'unknown', '/CN=x'].join('\t');
    writeFileSync(at('db'), `${line}\n`);
    writeFileSync(at('number'), '0A\n');
    const req = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await run('openssl', [...req, '-subj', '/CN=O', '-keyout', at('key'), '-out', at('ca')]);
    const sign = ['ca', '-config', at('config'), '-gencrl', '-keyfile', at('key'), '-cert', at('ca')];
    const { code, stderr } = await run('openssl', [...sign, ...more, '-out', at('crl')]);
    expect(code, stderr).toBe(0);
    const der = (name: string): Bytes =>
      fromBase64(readFileSync(at(name), 'utf8').replace(/-----[^-]+-----|\s/g, ''));
    return { crl: der('crl'), ca: unwrap(parseCertificate(der('ca'))) };
  }

  it('are read', async () => {
    const { crl, ca: own } = await byOpenssl('authorityKeyIdentifier=keyid');
    expect(unwrap(await parseCrl(crl, own))).toMatchObject({ number: 10n, issuer: 'CN=O' });
    expect(unwrap(await parseCrl(crl, own)).revoked.get('1a2b')).toMatchObject({ reason: 'superseded' });
  });

  it.each([
    ['partitioned', 'issuingDistributionPoint=critical,@p', 'partitioned'],
    ['indirect', 'issuingDistributionPoint=critical,@i', 'indirect'],
    ['a delta', '2.5.29.27=critical,DER:020101', 'delta'],
    ['of an unknown critical extension', '1.2.3.4=critical,DER:0500', '1.2.3.4'],
  ])('that are %s are refused', async (_, extensions, detail) => {
    const { crl, ca: own } = await byOpenssl(extensions);
    expect(await parseCrl(crl, own)).toMatchObject({
      ok: false,
      fault: { code: 'crl-unsupported', detail: expect.stringContaining(detail) },
    });
  });
});

describe('what is refused', () => {
  it('every truncation and every flipped byte', async () => {
    const der = await createCrl(issuer, { ...list, entries: [entry] });
    for (const at of der.keys()) {
      expect(await parseCrl(der.subarray(0, at), ca), `cut to ${at}`).toMatchObject({ ok: false });
      expect(await parseCrl(der.with(at, (der[at] as number) ^ 1), ca), `byte ${at}`).toMatchObject({
        ok: false,
      });
    }
  });

  it('by its signature before its entries are read', async () => {
    const der = await createCrl(issuer, { ...list, entries: [entry] });
    const revokedAt = Buffer.from(der).indexOf('260601000000Z', 'latin1');
    expect(revokedAt).toBeGreaterThan(0);
    expect(await parseCrl(der.with(revokedAt, 0x58), ca)).toMatchObject({
      ok: false,
      fault: { code: 'crl-malformed', detail: 'it is not signed by CN=CRL CA' },
    });
  });

  it('a list of another CA, of another key, and by a certificate that may not sign it', async () => {
    const der = await createCrl(issuer, { ...list, entries: [] });
    const twin = await createCa({ commonName: 'CRL CA', keyType: 'ecdsa-p256', notBefore, notAfter });
    const other = await createCa({ commonName: 'Other', keyType: 'ecdsa-p256', notBefore, notAfter });
    for (const foreign of [twin, other]) {
      const judged = await parseCrl(der, unwrap(parseCertificate(foreign.certificate)));
      expect(judged).toMatchObject({ ok: false, fault: { code: 'crl-malformed' } });
    }
    await expect(
      createCrl({ certificate: issuer.certificate, privateKey: twin.privateKey }, { ...list, entries: [] }),
    ).rejects.toMatchObject({ fault: { code: 'key-mismatch' } });
    const keys = await generateKeyPair('ed25519');
    const content = {
      subject: { commonName: 'x' },
      sans: [],
      purpose: 'tls-client',
      notBefore,
      notAfter,
    } as const;
    const certificate = await selfSignedCertificate(keys, content);
    await expect(
      createCrl({ certificate, privateKey: keys.privateKey }, { ...list, entries: [] }),
    ).rejects.toMatchObject({ fault: { code: 'certificate-purpose' } });
  });
});
