import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, fromBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import {
  generateKeyPair,
  type KeyPair,
  parseSshCertificate,
  type SshCertificate,
  type SshCertificateContent,
  signSshCertificate,
  sshBlobOf,
  sshCertificateLine,
  sshCertificateSigned,
  verifyUserCertificate,
} from './index.ts';

const now = new Date('2026-06-01T12:00:00Z');
const hour = 3_600_000;
const blobOf = (keys: KeyPair): Bytes => unwrap(sshBlobOf(keys.spki));

let ca: KeyPair;
let user: KeyPair;
beforeAll(async () => {
  ca = await generateKeyPair('ed25519');
  user = await generateKeyPair('ed25519');
});

const content = (more: Partial<SshCertificateContent> = {}): SshCertificateContent => ({
  kind: 'user',
  key: blobOf(user),
  serial: 7n,
  keyId: 'partner one',
  principals: ['demo', 'other'],
  validAfter: new Date(now.getTime() - hour),
  validBefore: new Date(now.getTime() + hour),
  ...more,
});

const judge = async (
  certificate: Bytes | SshCertificate,
  more: Partial<Parameters<typeof verifyUserCertificate>[0]> = {},
) => {
  const verdict = await verifyUserCertificate({
    certificate,
    trustedCas: [blobOf(ca)],
    principal: 'demo',
    sourceAddress: '10.1.2.3',
    now,
    isRevoked: () => false,
    ...more,
  });
  return verdict.kind === 'accepted' ? verdict.kind : verdict.reason;
};

describe.each(['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048'] as const)(
  'a CA of %s',
  (type) => {
    it('signs what ssh-keygen reads and what is accepted here', async () => {
      const folder = temporaryFolder();
      const own = await generateKeyPair(type);
      const options = { sources: ['10.0.0.0/8', '2001:db8::/32'], forceCommand: 'internal-sftp' };
      for (const keyType of ['ed25519', 'ecdsa-p521', 'rsa-2048'] as const) {
        const key = blobOf(await generateKeyPair(keyType));
        for (const kind of ['user', 'host'] as const) {
          const wish = content({ kind, key, ...(kind === 'user' ? options : {}) });
          const blob = await signSshCertificate(own, wish);
          const certificate = unwrap(parseSshCertificate(blob));
          const file = join(folder, `${keyType}-${kind}-cert.pub`);
          writeFileSync(file, `${sshCertificateLine(certificate, 'mine')}\n`);
          const { code, stdout, stderr } = await run('ssh-keygen', ['-L', '-f', file], {
            env: { TZ: 'UTC' },
          });
          expect(code, stderr).toBe(0);
          expect(stdout).toContain(`${kind} certificate`);
          expect(stdout).toContain('Key ID: "partner one"');
          expect(stdout).toContain('Serial: 7');
          expect(stdout).toContain('from 2026-06-01T11:00:00 to 2026-06-01T13:00:00');
          expect(stdout).toMatch(/Principals:\s+demo\s+other\s/);
          expect(stdout).toContain(
            `Signing CA: ${type === 'ed25519' ? 'ED25519' : type.startsWith('rsa') ? 'RSA' : 'ECDSA'}`,
          );
          if (kind === 'user') expect(stdout).toContain('source-address 10.0.0.0/8,2001:db8::/32');
          const verdict = await judge(blob, { trustedCas: [blobOf(own)] });
          expect(verdict).toBe(kind === 'user' ? 'accepted' : 'not-for-users');
        }
      }
    });
  },
);

describe('a certificate by ssh-keygen', () => {
  /** A user certificate, by a CA of ssh-keygen's, with these flags. */
  async function signed(caType: string, ...flags: string[]): Promise<{ blob: Bytes; authority: Bytes }> {
    const folder = temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await run('ssh-keygen', ['-q', '-t', caType, '-N', '', '-f', at('ca')]);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('key')]);
    const { code, stderr } = await run('ssh-keygen', [
      '-q',
      '-s',
      at('ca'),
      '-I',
      'x',
      ...flags,
      at('key.pub'),
    ]);
    expect(code, stderr).toBe(0);
    const blob = (name: string): Bytes => fromBase64(readFileSync(at(name), 'utf8').split(' ')[1] ?? '');
    return { blob: blob('key-cert.pub'), authority: blob('ca.pub') };
  }

  it.each([
    ['ed25519', ['-n', 'demo'], 'accepted'],
    ['ecdsa', ['-n', 'a,demo', '-O', 'clear'], 'accepted'],
    ['rsa', ['-n', 'demo', '-V', '20260101:20270101'], 'accepted'],
    ['rsa', ['-n', 'demo', '-t', 'ssh-rsa'], 'signature'],
    ['ed25519', [], 'no-principals'],
    ['ed25519', ['-n', 'demon'], 'principal'],
    ['ed25519', ['-n', 'demo', '-V', '20200101:20210101'], 'expired'],
    ['ed25519', ['-n', 'demo', '-V', '20300101:20310101'], 'not-yet-valid'],
    ['ed25519', ['-n', 'demo', '-O', 'source-address=10.1.0.0/16'], 'accepted'],
    ['ed25519', ['-n', 'demo', '-O', 'source-address=10.2.0.0/16'], 'source-address'],
    ['ed25519', ['-n', 'demo', '-O', 'force-command=/bin/sh'], 'force-command'],
    ['ed25519', ['-n', 'demo', '-O', 'verify-required'], 'critical-option'],
    ['ed25519', ['-n', 'demo', '-O', 'critical:made-up@example=1'], 'critical-option'],
    ['ed25519', ['-n', 'demo', '-O', 'extension:made-up@example=1'], 'accepted'],
    ['ed25519', ['-n', 'demo', '-h'], 'not-for-users'],
  ])('of a CA of %s with %j is %s', async (caType, flags, verdict) => {
    const { blob, authority } = await signed(caType, ...flags);
    expect(await judge(blob, { trustedCas: [authority] })).toBe(verdict);
    expect(await judge(blob)).toBe(flags.includes('-h') ? 'not-for-users' : 'untrusted');
  });
});

describe('what is refused', () => {
  it('a revoked one, and a clock that tells no time', async () => {
    const blob = await signSshCertificate(ca, content());
    expect(await judge(blob)).toBe('accepted');
    expect(await judge(blob, { isRevoked: ({ serial }) => serial === 7n })).toBe('revoked');
    expect(await judge(blob, { now: new Date(Number.NaN) })).toBe('not-yet-valid');
    const forEver = await signSshCertificate(ca, content({ validBefore: undefined }));
    expect(await judge(forEver, { now: new Date('9999-01-01') })).toBe('accepted');
  });

  it('every truncation and every flipped byte', async () => {
    const blob = await signSshCertificate(ca, content({ sources: ['10.0.0.0/8'] }));
    for (const at of blob.keys()) {
      expect(await judge(blob.slice(0, at)), `cut to ${at}`).not.toBe('accepted');
      expect(await judge(blob.with(at, (blob[at] as number) ^ 1)), `byte ${at}`).not.toBe('accepted');
    }
    expect(parseSshCertificate(Uint8Array.of(...blob, 0)).ok).toBe(false);
    expect(parseSshCertificate(new Uint8Array(70_000)).ok).toBe(false);
  });

  it('the signature of another key', async () => {
    const other = await generateKeyPair('ed25519');
    const mixed = { privateKey: other.privateKey, spki: ca.spki };
    await expect(signSshCertificate(mixed, content())).rejects.toMatchObject({
      fault: { code: 'key-mismatch' },
    });
    const certificate = unwrap(parseSshCertificate(await signSshCertificate(ca, content())));
    expect(await sshCertificateSigned({ ...certificate, signature: utf8('garbage') })).toBe(false);
  });

  it.each([
    ['no principal', { principals: [] }],
    ['a principal with a comma', { principals: ['a,b'] }],
    ['an empty key id', { keyId: '' }],
    ['a validity that ends first', { validBefore: new Date(0) }],
    ['a negative serial number', { serial: -1n }],
    ['options of a host', { kind: 'host' as const, sources: ['10.0.0.0/8'] }],
    ['sources that are no networks', { sources: ['gate.example'] }],
  ])('to sign %s', async (_, more) => {
    await expect(signSshCertificate(ca, content(more))).rejects.toMatchObject({
      fault: { code: 'invalid-request' },
    });
  });
});
