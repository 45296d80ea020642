import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bytes } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import { encode, encodeOid, tags } from './der.ts';
import { parseCertificate, readPemCertificates } from './index.ts';
import { nameText } from './name.ts';
import { verifySignature } from './signature.ts';

/** A self-signed certificate that OpenSSL made. */
async function selfSigned(...options: string[]): Promise<Bytes> {
  const folder = temporaryFolder();
  const file = join(folder, 'made.pem');
  const key = join(folder, 'key.pem');
  const made = await run('openssl', ['req', '-x509', '-nodes', '-keyout', key, '-out', file, ...options]);
  if (made.code !== 0) throw new Error(made.stderr);
  const [der] = unwrap(readPemCertificates(readFileSync(file, 'utf8')));
  return der as Bytes;
}

const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/CN=x'];

describe('a certificate of OpenSSL', () => {
  it('has its names, dates and extensions read', async () => {
    const der = await selfSigned(
      ...['-newkey', 'ed25519', '-days', '30', '-set_serial', '0x00ff01', '-utf8'],
      ...['-subj', '/C=DE/O=Müller \\+ Söhne, GmbH/OU=#1/CN= gate /emailAddress=a@b.example'],
      ...['-addext', 'subjectAltName=DNS:a.example,IP:10.0.0.1,IP:fe80::1,URI:https://a.example/x,RID:1.2.3'],
      ...['-addext', 'keyUsage=critical,digitalSignature,keyAgreement,decipherOnly'],
      ...['-addext', 'extendedKeyUsage=critical,clientAuth,1.2.3.4'],
    );
    const parsed = unwrap(parseCertificate(der));
    const subject = 'emailAddress=a@b.example,CN=\\ gate\\ ,OU=\\#1,O=Müller \\+ Söhne\\, GmbH,C=DE';
    expect(parsed).toMatchObject({
      subject,
      issuer: subject,
      serial: 'ff01',
      selfIssued: true,
      // `openssl req -x509` makes CAs.
      isCa: true,
      keyUsage: ['digitalSignature', 'keyAgreement', 'decipherOnly'],
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.2', '1.2.3.4'],
      sans: [
        { type: 'dns', value: 'a.example' },
        { type: 'ip', value: '10.0.0.1' },
        { type: 'ip', value: 'fe80::1' },
        { type: 'uri', value: 'https://a.example/x' },
      ],
    });
    expect(parsed.pathLength).toBeUndefined();
    expect(parsed.subjectKeyId).toBe(parsed.authorityKeyId);
    expect(parsed.notAfter.getTime() - parsed.notBefore.getTime()).toBe(30 * 86_400_000);
  });

  it.each([
    ['RSA', ['-newkey', 'rsa:2048', '-subj', '/CN=x', '-sha384']],
    ['RSA-PSS', ['-newkey', 'rsa:2048', '-subj', '/CN=x', '-sha256', '-sigopt', 'rsa_padding_mode:pss']],
    ['ECDSA P-256', [...ec, '-sha512']],
    ['ECDSA P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-subj', '/CN=x']],
    ['ECDSA P-521', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521', '-subj', '/CN=x']],
    ['Ed25519', ['-newkey', 'ed25519', '-subj', '/CN=x']],
  ])('signed with %s is verified, and no changed one is', async (_, options) => {
    const { signatureAlgorithm, spki, tbs, signature } = unwrap(
      parseCertificate(await selfSigned(...options)),
    );
    expect(await verifySignature(signatureAlgorithm, spki, tbs, signature)).toBe(true);
    for (const changed of [tbs.with(9, (tbs[9] as number) ^ 1), tbs.subarray(1)]) {
      expect(await verifySignature(signatureAlgorithm, spki, changed, signature)).toBe(false);
    }
    for (const changed of [signature.with(-1, (signature.at(-1) as number) ^ 1), signature.subarray(1)]) {
      expect(await verifySignature(signatureAlgorithm, spki, tbs, changed)).toBe(false);
    }
  });

  it('signed with SHA-1 is known as such', async () => {
    const parsed = unwrap(parseCertificate(await selfSigned(...ec, '-sha1')));
    expect(parsed.signatureAlgorithm).toEqual({ kind: 'unsupported', oid: '1.2.840.10045.4.1' });
  });

  it('of a key that is not accepted is key-unsupported', async () => {
    const der = await selfSigned('-newkey', 'rsa:1024', '-subj', '/CN=x');
    expect(parseCertificate(der)).toMatchObject({ ok: false, fault: { code: 'key-unsupported' } });
  });

  it('beyond 2049, and with two parts in one name', async () => {
    const parsed = unwrap(
      parseCertificate(
        await selfSigned(...ec.slice(0, -1), '/CN=x+OU=y', '-multivalue-rdn', '-days', '36500'),
      ),
    );
    expect(parsed.notAfter.getUTCFullYear()).toBeGreaterThan(2100);
    expect(parsed.subject.split('+').toSorted()).toEqual(['CN=x', 'OU=y']);
  });

  it('is one encoding: nothing behind it, no other length form, no other algorithm outside than inside', async () => {
    const der = await selfSigned(...ec);
    const malformed = { ok: false, fault: { code: 'certificate-malformed' } };
    expect(parseCertificate(Uint8Array.of(...der, 0))).toMatchObject(malformed);
    expect(der.slice(0, 2)).toEqual(Uint8Array.of(0x30, 0x82));
    expect(parseCertificate(Uint8Array.of(0x30, 0x83, 0, ...der.slice(2)))).toMatchObject(malformed);
    expect(parseCertificate(Uint8Array.of(0x30, 0x80, ...der.slice(4), 0, 0))).toMatchObject(malformed);
    // ecdsa-with-SHA256 ends in 02; the last place it stands in is outside of what is signed.
    const inner = encodeOid('1.2.840.10045.4.3.2');
    const at = Buffer.from(der).lastIndexOf(inner) + inner.length - 1;
    expect(parseCertificate(der.with(at, 3))).toMatchObject({
      ok: false,
      fault: { code: 'certificate-malformed', detail: 'signature algorithms differ' },
    });
    expect(parseCertificate(new Uint8Array(70_000))).toMatchObject(malformed);
  });

  it('with an extension twice is malformed', async () => {
    const der = await selfSigned(...ec, '-addext', '1.2.3.4=ASN1:NULL', '-addext', '1.2.3.5=ASN1:NULL');
    expect(parseCertificate(der).ok).toBe(true);
    const at = Buffer.from(der).lastIndexOf(encodeOid('1.2.3.5')) + encodeOid('1.2.3.5').length - 1;
    expect(parseCertificate(der.with(at, 4))).toMatchObject({
      ok: false,
      fault: { detail: 'extension 1.2.3.4 is there twice' },
    });
  });
});

it('a name cannot forge a line, nor hide in one', () => {
  const name = (tag: number, ...octets: number[]): Bytes =>
    encode(
      tags.sequence,
      encode(tags.set, encode(tags.sequence, encodeOid('2.5.4.3'), encode(tag, Uint8Array.from(octets)))),
    );
  expect(nameText(name(tags.utf8String, 0x61, 0x0a, 0x00, 0x62))).toBe('CN=a\\0a\\00b');
  expect(nameText(name(tags.bmpString, 0x20, 0x2e, 0x00, 0x41))).toBe('CN=\\e2\\80\\aeA');
  expect(nameText(name(tags.octetString, 1))).toBe('CN=#040101');
  expect(nameText(name(tags.utf8String))).toBe('CN=');
  expect(nameText(encode(tags.sequence))).toBe('');
  expect(() => nameText(name(tags.utf8String, 0xff))).toThrow('not UTF-8');
});
