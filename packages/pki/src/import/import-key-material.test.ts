import { fromBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  generateKeyPair,
  type ImportOptions,
  importKeyMaterial,
  type KeyPair,
  opensshPrivateKey,
  selfSignedCertificate,
  sshBlobOf,
  sshPublicKeyLine,
  toPem,
} from '../index.ts';

const notBefore = new Date(Date.now() - 3_600_000);
const notAfter = new Date(Date.now() + 86_400_000);

let keys: KeyPair;
let other: KeyPair;
let line = '';
let pem = '';
let certificate = '';
beforeAll(async () => {
  keys = await generateKeyPair('ed25519');
  other = await generateKeyPair('ecdsa-p256');
  line = sshPublicKeyLine(unwrap(sshBlobOf(keys.spki)), 'mine');
  pem = toPem('PRIVATE KEY', keys.privateKey);
  const content = {
    subject: { commonName: 'x' },
    sans: [],
    purpose: 'tls-client',
    notBefore,
    notAfter,
  } as const;
  certificate = toPem('CERTIFICATE', await selfSignedCertificate(keys, content));
});

const read = (text: string, options?: ImportOptions) => importKeyMaterial(utf8(text), options);
const refusedAs = (code: string, detail?: string) =>
  expect.objectContaining({
    ok: false,
    fault: expect.objectContaining({ code, ...(detail ? { detail: expect.stringContaining(detail) } : {}) }),
  });

describe('options of an SSH key line', () => {
  it('are mapped', async () => {
    const options =
      'from="10.0.0.0/8,192.0.2.7,2001:db8::/32,172.16.*",expiry-time="20401231",cert-authority';
    expect(unwrap(await read(`${options} ${line}`))).toMatchObject({
      form: 'ssh-public-key',
      comment: 'mine',
      spki: keys.spki,
      options: {
        sources: ['10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32', '172.16.0.0/16'],
        validUntil: '2040-12-31T00:00:00Z',
        certAuthority: true,
      },
    });
  });

  it.each([
    'gate.example',
    '!10.0.0.1',
    '*',
    '10.0.*.1',
    '10.0.0.1/8',
    '10.1/16',
    '1?.0.0.1',
    '',
    '10.0.0.0/33',
  ])('from="%s" refuses the line and is named', async (pattern) => {
    expect(await read(`from="${pattern}" ${line}`)).toEqual(
      refusedAs('key-option-unsupported', 'option from'),
    );
  });

  it('any other refuses the line and is named', async () => {
    expect(await read(`command="x" ${line}`)).toEqual(
      refusedAs('key-option-unsupported', 'OpenSSH public key: option command'),
    );
  });
});

describe('several keys', () => {
  it('are a choice, by names that differ', async () => {
    const both = `${pem}${toPem('PRIVATE KEY', other.privateKey)}`;
    const choice = unwrap(await read(both));
    expect(choice).toMatchObject({
      form: 'choice',
      entries: [
        { name: 'key 1', key: { type: 'ed25519' } },
        { name: 'key 2', key: { type: 'ecdsa-p256' } },
      ],
    });
    expect(unwrap(await read(both, { choice: 'key 2' }))).toMatchObject({ spki: other.spki });
    expect(await read(both, { choice: 'key 3' })).toEqual(refusedAs('invalid-request'));
    expect(unwrap(await read(`${line}\n${line}\n`))).toMatchObject({
      entries: [{ name: 'mine' }, { name: 'mine (2)' }],
    });
  });

  it('with the certificate of one name its subject', async () => {
    const both = `${pem}${toPem('PRIVATE KEY', other.privateKey)}${certificate}`;
    expect(unwrap(await read(both))).toMatchObject({ entries: [{ subject: 'CN=x' }, {}] });
    expect(unwrap(await read(both, { choice: 'key 1' }))).toMatchObject({ chain: [{ subject: 'CN=x' }] });
    expect(await read(both, { choice: 'key 2' })).toEqual(refusedAs('key-mismatch'));
  });
});

describe('what does not belong together', () => {
  it('is refused', async () => {
    const foreign = toPem('PRIVATE KEY', other.privateKey);
    expect(await read(`${foreign}${certificate}`)).toEqual(refusedAs('key-mismatch'));
    expect(await read(`${pem}${toPem('PUBLIC KEY', other.spki)}`)).toEqual(refusedAs('key-mismatch'));
    expect(unwrap(await read(`${pem}${toPem('PUBLIC KEY', keys.spki)}`))).toMatchObject({
      form: 'private-key',
    });
  });
});

describe('texts as they travel', () => {
  it('with a byte order mark, in UTF-16, with CR LF, and without the lines of PEM', async () => {
    const bare = certificate.replace(/-----[^-]+-----/g, '');
    const wide = new Uint8Array(
      new Uint16Array([...`\ufeff${certificate}`].map((c) => c.charCodeAt(0))).buffer,
    );
    for (const bytes of [
      utf8(`\ufeff${certificate}`),
      wide,
      utf8(certificate.replaceAll('\n', '\r\n')),
      utf8(bare),
      fromBase64(bare.replace(/\s/g, '')),
      utf8(`Bag Attributes\n    friendlyName: x\n${certificate}`),
    ]) {
      expect(unwrap(await importKeyMaterial(bytes))).toMatchObject({ form: 'certificates', extra: [] });
    }
  });
});

describe('refusals say what was recognised and what is wrong', () => {
  it.each([
    ['nothing', () => '', 'key-material-unrecognised', 'text'],
    ['prose', () => 'hello', 'key-material-unrecognised', 'text'],
    ['JSON', () => '{"a":1}', 'key-material-unrecognised', 'text'],
    ['a request', () => toPem('CERTIFICATE REQUEST', keys.spki), 'key-material-unrecognised', 'request'],
    ['a list', () => toPem('X509 CRL', keys.spki), 'key-material-unrecognised', 'revocation'],
    ['another PEM', () => toPem('PGP MESSAGE', keys.spki), 'key-material-unrecognised', 'PGP MESSAGE'],
    ['PEM of something else', () => toPem('CERTIFICATE', keys.spki), 'certificate-malformed', 'X.509'],
    ['PEM without an end', () => pem.slice(0, 60), 'key-malformed', 'has no end'],
    ['a cut mark', () => `${pem}-----BEGIN CERTIF`, 'key-malformed', 'cut'],
    ['a DSA key line', () => 'ssh-dss AAAAB3NzaC1kc3MAAAAA', 'key-unsupported', 'ssh-dss'],
    ['an SSH-1 key', () => 'SSH PRIVATE KEY FILE FORMAT 1.1\n', 'key-unsupported', 'SSH-1'],
    ['PuTTY of version 9', () => 'PuTTY-User-Key-File-9: x\n', 'key-unsupported', 'version 9'],
    ['no key line', () => `${'ssh-rsa'} AAAA ${line}`, 'key-malformed', 'OpenSSH'],
  ])('%s', async (_, text, code, detail) => {
    expect(await read(text())).toEqual(refusedAs(code, detail));
  });

  it('bytes', async () => {
    for (const bytes of [[0], [0x30], [0x30, 0x80], [0x30, 3, 2, 1, 5], [0x1f, 0x8b, 8, 0, 0]]) {
      expect(await importKeyMaterial(Uint8Array.from(bytes))).toMatchObject({ ok: false });
    }
  });
});

describe('bounds', () => {
  it('of size, password and blocks', async () => {
    expect(await importKeyMaterial(new Uint8Array(1_048_577))).toEqual(refusedAs('body-too-large'));
    expect(await read(pem, { password: 'x'.repeat(1_025) })).toEqual(refusedAs('invalid-request'));
    expect(await read(certificate.repeat(300))).toEqual(refusedAs('key-malformed', 'more than'));
    expect(unwrap(await read(certificate.repeat(200)))).toMatchObject({ chain: [{}], extra: [] });
  });

  it('of nesting and of indefinite lengths', async () => {
    const nested = new Uint8Array(200_000).fill(0x30).map((octet, i) => (i % 2 ? 0x80 : octet));
    const started = performance.now();
    expect(await importKeyMaterial(nested)).toMatchObject({ ok: false });
    const wide = Uint8Array.from([0x30, 0x80, ...new Array(60_000).fill([5, 0]).flat(), 0, 0]);
    expect(await importKeyMaterial(wide)).toMatchObject({ ok: false });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each(['DES-EDE3-CBC', 'RC2-CBC', 'AES-256-CBC'])('of the time that %s takes', async (cipher) => {
    const iv = '00112233445566778899aabbccddeeff'.slice(0, cipher.startsWith('AES') ? 32 : 16);
    const block = toPem('RSA PRIVATE KEY', new Uint8Array(720_000));
    const file = block.replace('-----\n', `-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ${cipher},${iv}\n\n`);
    const started = performance.now();
    expect(await read(file, { password: 'x' })).toEqual(refusedAs('key-password-wrong'));
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('of a wrong password whose padding looks right', async () => {
    const block = toPem(
      'EC PRIVATE KEY',
      Uint8Array.from({ length: 128 }, (_, i) => (i * 89) % 251),
    );
    const iv = '00112233445566778899aabbccddeeff';
    const file = block.replace('-----\n', `-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${iv}\n\n`);
    for (let i = 0; i < 2_000; i++) {
      expect(await read(file, { password: `wrong ${i}` })).toEqual(refusedAs('key-password-wrong'));
    }
  });

  it('of what a password may cost', async () => {
    const file = await opensshPrivateKey(keys.privateKey);
    const bytes = fromBase64(file.replace(/-----[^-]+-----|\s/g, ''));
    // bcrypt with 2^31 rounds in place of no encryption
    const text = (value: string): number[] => [0, 0, 0, value.length, ...utf8(value)];
    const options = [...text('saltsaltsaltsalt'), 0x7f, 0xff, 0xff, 0xff];
    const costly = Uint8Array.of(
      ...bytes.slice(0, 15),
      ...text('aes256-ctr'),
      ...text('bcrypt'),
      0,
      0,
      0,
      options.length,
      ...options,
      0,
      0,
      0,
      1,
      ...text('x'),
      ...text('0123456789abcdef'),
    );
    const refusal = await read(toPem('OPENSSH PRIVATE KEY', costly), { password: 'secret words' });
    expect(refusal).toEqual(refusedAs('key-too-costly', 'bcrypt of 2147483647 rounds'));
    expect(JSON.stringify(refusal)).not.toContain('secret');
  });
});
