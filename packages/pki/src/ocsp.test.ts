import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, test } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import {
  ocspRequest,
  type ParsedCertificate,
  parseCertificate,
  readPemCertificates,
  verifyOcspResponse,
} from './index.ts';

// OpenSSL makes the certificates and the answers: the reader is held to what others write.
const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);
const openssl = async (...args: string[]): Promise<string> => {
  const done = await run('openssl', args, { cwd: folder });
  if (done.code !== 0) throw new Error(done.stderr);
  return done.stdout;
};
const read = (name: string): ParsedCertificate =>
  unwrap(parseCertificate(unwrap(readPemCertificates(readFileSync(file(name), 'utf8')))[0] as Uint8Array));

const config = `
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
authorityInfoAccess=OCSP;URI:http://ocsp.example/leaf
authorityKeyIdentifier=keyid
[responder]
extendedKeyUsage=OCSPSigning
[stranger]
extendedKeyUsage=clientAuth
`;

let leaf: ParsedCertificate;
let issuer: ParsedCertificate;

async function issue(name: string, section: string, serial: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  const subject = ['-subj', `/CN=${name}`, '-config', 'openssl.cnf'];
  if (section === 'ca') {
    await openssl(
      'req',
      '-x509',
      ...key,
      ...subject,
      '-extensions',
      'ca',
      '-days',
      '2',
      '-out',
      `${name}.pem`,
    );
    return;
  }
  await openssl('req', '-new', ...key, ...subject, '-out', `${name}.csr`);
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', serial, '-days', '1'];
  const extensions = ['-extfile', 'openssl.cnf', '-extensions', section];
  await openssl('x509', '-req', '-in', `${name}.csr`, ...by, ...extensions, '-out', `${name}.pem`);
}

beforeAll(async () => {
  writeFileSync(file('openssl.cnf'), `[req]\ndistinguished_name=dn\n[dn]\n${config}`);
  await issue('ca', 'ca', '1');
  await issue('leaf', 'leaf', '0x8102');
  await issue('responder', 'responder', '3');
  await issue('stranger', 'stranger', '4');
  await issue('other', 'ca', '1');
  leaf = read('leaf.pem');
  issuer = read('ca.pem');
}, 60_000);

type Made = { readonly status?: 'V' | 'R'; readonly signer?: string; readonly more?: readonly string[] };

/** Has `openssl ocsp` answer our request. */
async function answer({
  status = 'V',
  signer = 'ca',
  more = ['-nmin', '60'],
}: Made = {}): Promise<Uint8Array> {
  writeFileSync(file('request.der'), await ocspRequest(leaf, issuer));
  const revoked = status === 'R' ? '260101000000Z,keyCompromise' : '';
  writeFileSync(file('index.txt'), `${status}\t300101000000Z\t${revoked}\t8102\tunknown\t/CN=leaf\n`);
  await openssl(
    ...['ocsp', '-index', 'index.txt', '-CA', 'ca.pem', '-reqin', 'request.der', '-respout', 'response.der'],
    ...['-rsigner', `${signer}.pem`, '-rkey', `${signer}.key`, ...more],
  );
  return new Uint8Array(readFileSync(file('response.der')));
}

const judge = (der: Uint8Array, now = new Date()) =>
  verifyOcspResponse(der, { certificate: leaf, issuer, now });

test('the certificate names its responder', () => {
  expect(leaf.ocspUrl).toBe('http://ocsp.example/leaf');
  expect(issuer).not.toHaveProperty('ocspUrl');
});

describe('an answer', () => {
  test.each(['ca', 'responder'])('signed by %s is taken', async (signer) => {
    expect(await judge(await answer({ signer }))).toMatchObject({ ok: true, value: { status: 'good' } });
  });

  test('named by key is taken', async () => {
    const der = await answer({ signer: 'responder', more: ['-nmin', '60', '-resp_key_id'] });
    expect(await judge(der)).toMatchObject({ ok: true, value: { status: 'good' } });
  });

  test('says that the certificate is revoked', async () => {
    expect(await judge(await answer({ status: 'R' }))).toMatchObject({
      ok: true,
      value: { status: 'revoked' },
    });
  });

  test.each([
    ['of one who may not answer', { signer: 'stranger' }, /not signed by/],
    ['of another CA', { signer: 'other' }, /not signed by/],
    ['without its end', { more: [] }, /when the next one comes/],
  ])('%s is refused', async (_name, made, detail) => {
    expect(await judge(await answer(made))).toMatchObject({
      fault: { code: 'ocsp-unusable', detail: expect.stringMatching(detail) },
    });
  });

  test('is refused before its time, after its end, about another certificate, changed and cut', async () => {
    const der = await answer();
    const later = (ms: number): Date => new Date(Date.now() + ms);
    expect(await judge(der, later(3_700_000))).toMatchObject({ fault: { detail: 'it is out of date' } });
    expect(await judge(der, later(-3_700_000))).toMatchObject({ fault: { detail: 'it is of the future' } });
    const other = await verifyOcspResponse(der, {
      certificate: read('stranger.pem'),
      issuer,
      now: new Date(),
    });
    expect(other).toMatchObject({ fault: { detail: 'it does not speak of the certificate' } });
    for (const at of [40, 80, 150]) {
      const changed = der.map((octet, index) => (index === at ? octet ^ 1 : octet));
      expect(await judge(changed)).toMatchObject({ fault: { code: 'ocsp-unusable' } });
    }
    for (let length = 0; length < der.length; length += 7) {
      expect(await judge(der.subarray(0, length))).toMatchObject({ fault: { code: 'ocsp-unusable' } });
    }
  });

  test('that is none says why', async () => {
    expect(await judge(Uint8Array.from([0x30, 3, 0x0a, 1, 3]))).toMatchObject({
      fault: { detail: 'the responder says tryLater' },
    });
  });
});
