import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import {
  generateKeyPair,
  keyFacts,
  knownHostsLine,
  opensshPrivateKey,
  parseAuthorizedKey,
  privateKeyMatches,
  readPemPrivateKey,
  spkiOfSshBlob,
  sshBlobOf,
  sshFingerprint,
  sshPublicKeyLine,
  toPem,
} from './index.ts';

/** Runs a program that must succeed. */
async function must(command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const kinds = [
  { type: 'rsa', bits: 2048, keygen: ['-t', 'rsa', '-b', '2048'] },
  { type: 'ecdsa-p256', bits: 256, keygen: ['-t', 'ecdsa', '-b', '256'] },
  { type: 'ecdsa-p384', bits: 384, keygen: ['-t', 'ecdsa', '-b', '384'] },
  { type: 'ecdsa-p521', bits: 521, keygen: ['-t', 'ecdsa', '-b', '521'] },
  { type: 'ed25519', bits: 256, keygen: ['-t', 'ed25519'] },
] as const;

describe('a key that ssh-keygen made', () => {
  it.each(kinds)('$type is read as ssh-keygen and OpenSSL know it', async ({ type, bits, keygen }) => {
    const file = join(temporaryFolder(), 'key');
    await must('ssh-keygen', '-q', ...keygen, '-N', '', '-C', 'partner one', '-f', file);
    const line = readFileSync(`${file}.pub`, 'utf8');
    const key = unwrap(parseAuthorizedKey(line));
    expect(key.comment).toBe('partner one');
    const [size, fingerprint] = (await must('ssh-keygen', '-l', '-f', `${file}.pub`)).split(' ');
    expect(key.facts).toMatchObject({ type, bits, sshFingerprint: fingerprint });
    expect(String(bits)).toBe(size);
    expect(sshFingerprint(key.blob)).toBe(fingerprint);
    expect(sshPublicKeyLine(key.blob, 'partner one')).toBe(line.trim());
    expect(unwrap(sshBlobOf(key.spki))).toEqual(key.blob);
    expect(unwrap(spkiOfSshBlob(key.blob))).toEqual(key.spki);
    expect(unwrap(keyFacts(key.spki))).toEqual(key.facts);
    const exported = await must('ssh-keygen', '-e', '-m', 'PKCS8', '-f', `${file}.pub`).catch(() => '');
    // ssh-keygen has no PKCS#8 form of an Ed25519 key.
    if (type !== 'ed25519') expect(exported).toBe(toPem('PUBLIC KEY', key.spki));
    for (const length of key.blob.keys()) {
      expect(spkiOfSshBlob(key.blob.slice(0, length)).ok, `blob cut to ${length}`).toBe(false);
    }
    for (const length of key.spki.keys()) {
      expect(keyFacts(key.spki.slice(0, length)).ok, `SPKI cut to ${length}`).toBe(false);
    }
    expect(spkiOfSshBlob(Uint8Array.of(...key.blob, 0)).ok).toBe(false);
    expect(keyFacts(Uint8Array.of(...key.spki, 0)).ok).toBe(false);
  });
});

const opensslKeys = [
  ['rsa', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['ecdsa-p256', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['ecdsa-p384', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']],
  ['ecdsa-p521', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']],
  ['ed25519', ['-algorithm', 'ed25519']],
] as const;

describe('opensshPrivateKey', () => {
  it.each(opensslKeys)('writes %s so that ssh-keygen and ssh2 read it', async (type, options) => {
    const folder = temporaryFolder();
    const pem = await must('openssl', 'genpkey', ...options);
    const pkcs8 = unwrap(readPemPrivateKey(pem));
    const text = await opensshPrivateKey(pkcs8, 'demo@sallyport');
    const file = join(folder, 'id');
    writeFileSync(file, text, { mode: 0o600 });
    const key = unwrap(parseAuthorizedKey(await must('ssh-keygen', '-y', '-f', file)));
    expect(key.facts.type).toBe(type);
    expect(key.comment).toBe('demo@sallyport');
    expect(await privateKeyMatches(key.spki, pkcs8)).toBe(true);
    const parsed = ssh2.utils.parseKey(text);
    if (parsed instanceof Error) throw parsed;
    expect(new Uint8Array(parsed.getPublicSSH())).toEqual(key.blob);
    expect(parsed.verify('x', parsed.sign('x'))).toBe(true);
  });
});

describe('generateKeyPair', () => {
  it.each(['ed25519', 'ecdsa-p256'] as const)('makes an %s key that belongs together', async (type) => {
    const [one, other] = await Promise.all([generateKeyPair(type), generateKeyPair(type)]);
    expect(unwrap(keyFacts(one.spki)).type).toBe(type);
    expect(await privateKeyMatches(one.spki, one.privateKey)).toBe(true);
    expect(await privateKeyMatches(other.spki, one.privateKey)).toBe(false);
    expect(await privateKeyMatches(one.spki, utf8('garbage'))).toBe(false);
    expect(await privateKeyMatches(utf8('garbage'), one.privateKey)).toBe(false);
  });

  it('tells keys of different types apart', async () => {
    const [ed25519, ecdsa] = await Promise.all([generateKeyPair('ed25519'), generateKeyPair('ecdsa-p256')]);
    expect(await privateKeyMatches(ed25519.spki, ecdsa.privateKey)).toBe(false);
    expect(await privateKeyMatches(ecdsa.spki, ed25519.privateKey)).toBe(false);
  });
});

describe('keys that are not accepted', () => {
  it.each([
    ['RSA of 1024 bits', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']],
    ['RSA-PSS', ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048']],
    ['secp256k1', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1']],
    ['Ed448', ['-algorithm', 'ed448']],
    ['X25519', ['-algorithm', 'x25519']],
  ])('%s is key-unsupported', async (_, options) => {
    const privateKey = await must('openssl', 'genpkey', ...options);
    const { stdout } = await run('openssl', ['pkey', '-pubout'], { input: privateKey });
    const spki = fromBase64(stdout.replace(/-----[^-]+-----|\s/g, ''));
    expect(keyFacts(spki)).toMatchObject({ ok: false, fault: { code: 'key-unsupported' } });
  });

  it('a point beside its curve is key-malformed', async () => {
    const { spki } = await generateKeyPair('ecdsa-p256');
    const moved = spki.with(spki.length - 1, (spki.at(-1) ?? 0) ^ 1);
    expect(keyFacts(moved)).toMatchObject({ ok: false, fault: { code: 'key-malformed' } });
  });

  it('an mpint with a needless zero is key-malformed', async () => {
    const rsa = await must('openssl', 'genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048');
    const { stdout } = await run('openssl', ['pkey', '-pubout'], { input: rsa });
    const blob = unwrap(sshBlobOf(fromBase64(stdout.replace(/-----[^-]+-----|\s/g, ''))));
    // string "ssh-rsa" is 11 bytes, then the exponent 00000003 010001
    const padded = Uint8Array.of(...blob.slice(0, 11), 0, 0, 0, 4, 0, ...blob.slice(15));
    expect(spkiOfSshBlob(padded)).toMatchObject({ ok: false, fault: { code: 'key-malformed' } });
  });
});

it('names the port in known_hosts unless it is 22', async () => {
  const { spki } = await generateKeyPair('ed25519');
  const blob = unwrap(sshBlobOf(spki));
  expect(knownHostsLine('gate.example', 22, blob)).toBe(`gate.example ${sshPublicKeyLine(blob)}`);
  expect(knownHostsLine('::1', 2222, blob)).toBe(`[::1]:2222 ${sshPublicKeyLine(blob)}`);
});

it('keeps a comment on its line', async () => {
  const { spki } = await generateKeyPair('ed25519');
  expect(sshPublicKeyLine(unwrap(sshBlobOf(spki)), 'a\nssh-rsa AAAA')).not.toContain('\n');
});
