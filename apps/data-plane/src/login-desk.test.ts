import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { virtualPath } from '@sallyport/files';
import {
  modernPolicy,
  type ServerProtocol,
  serverCreate,
  server as serverSchema,
  type Totp,
} from '@sallyport/model';
import { generateKeyPair, packSerials, readSerials, sshBlobOf } from '@sallyport/pki';
import type { AccountRecord } from '@sallyport/snapshot/node';
import { expect, test } from 'vitest';
import { filesRootAt } from './account-files.ts';
import { createLockouts } from './lockout/lockouts.ts';
import { createLoginDesk } from './login-desk.ts';
import type { LoginRecord } from './login-record.ts';
import { createVerifiedPasswords } from './password/cache.ts';
import { codeAt } from './second-factor/totp.ts';
import { createSessionRegistry } from './session-registry.ts';
import { viewOf } from './tls/fixture/zone.ts';
import type { CrlRule, ZoneView } from './zone-view.ts';

const anna: AccountRecord = {
  id: 'acc-anna',
  name: 'anna',
  groups: [],
  enabled: true,
  locked: false,
  passwordHash: 'hash-1',
  home: '/anna',
  permissions: [],
  limits: { maxSessions: 10 },
  uploadMode: 'staged',
  credentials: [],
};

const serverOf = (protocol: ServerProtocol, clientCertificate: 'optional' | 'required') =>
  serverSchema.parse({
    ...serverCreate.parse({
      protocol,
      name: 'one',
      zone: 'test',
      host: '127.0.0.1',
      port: 1,
      clientCertificate,
    }),
    id: 'srv-one',
    version: 1,
    createdAt: '2026-01-01T00:00:00Z',
  });

const pathOf = (text: string) => unwrap(virtualPath(text));

/** A desk over a view that a test replaces, with the real registry and the real policy. */
async function openDesk(
  protocol: ServerProtocol,
  clientCertificate: 'optional' | 'required',
  crlRules: () => ZoneView['crlRules'] = () => [],
) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-desk-')));
  const view = (account: AccountRecord | undefined): ZoneView => ({
    ...viewOf({ crlRules: crlRules() }),
    servers: [{ server: serverOf(protocol, clientCertificate), identities: [], algorithms: modernPolicy }],
    accountNamed: async (name) => (name === account?.name ? account : undefined),
  });
  let current = view(anna);
  const sessions = createSessionRegistry(() => current, Date.now, {
    transfer: () => {},
    lasting: () => {},
  });
  const records: LoginRecord[] = [];
  const pauses: number[] = [];
  const desk = createLoginDesk({
    view: () => current,
    serving: () => 'serving',
    now: Date.now,
    passwords: {
      verify: async (hash, password) => (password === `password of ${hash}` ? 'verified' : 'wrong'),
      close: async () => {},
    },
    verifiedPasswords: createVerifiedPasswords(Date.now),
    lockouts: createLockouts({
      settings: () => current.policy.loginSettings.lockout,
      now: Date.now,
      began: () => {},
    }),
    sessions,
    filesRoot: filesRootAt(root),
    record: (login) => void records.push(login),
    pause: async (ms) => void pauses.push(ms),
  });
  const again = () => desk.open({ server: 'srv-one', source: '192.0.2.1', channel: 'encrypted' });
  return {
    pauses,
    attempt: again(),
    again,
    sessions,
    records,
    apply: (account: AccountRecord | undefined) => {
      current = view(account);
    },
    applyToSessions: (account: AccountRecord) => {
      current = view(account);
      return sessions.redecideAll(current);
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

test('a certificate that was revoked between the handshake and the login admits nobody', async () => {
  await using desk = await openDesk('http', 'optional');
  let revoked = false;
  desk.attempt.tlsCredential(
    {
      kind: 'proved',
      registrations: [{ account: 'acc-anna', accountName: 'anna', certificate: 'crt-anna' }],
    },
    async () => !revoked,
  );
  revoked = true;
  desk.apply(anna);
  expect(await desk.attempt.name('anna')).toEqual({ kind: 'refused', fault: 'login-refused' });
  expect(desk.records.at(-1)).toMatchObject({ outcome: 'refused', reason: 'changed-meanwhile' });
  expect(desk.sessions.size).toBe(0);

  revoked = false;
  expect(await desk.attempt.name('anna')).toMatchObject({ kind: 'admitted' });
});

test('the key of a certificate that its CA has revoked logs in over SSH no more', async () => {
  const { spki } = await generateKeyPair('ed25519');
  const serials: string[] = [];
  const ca = { subject: 'CN=CA', subjectDer: Uint8Array.of(1), key: {} as CrlRule['ca']['key'] };
  const rules = (): CrlRule[] => [
    {
      id: 'crt-ca',
      ca,
      onStaleCrl: 'accept-with-alarm',
      list: { number: '1', nextUpdate: new Date(0), serials: unwrap(readSerials(packSerials(serials))) },
    },
  ];
  await using desk = await openDesk('ssh', 'optional', rules);
  const listedBy = { cas: ['crt-ca'], serial: '0a' };
  const credential = { certificate: 'crt-anna', form: 'x509', match: 'certificate', anchor: 'path' } as const;
  const digests = { sha256: '0'.repeat(64), spkiSha256: sha256Hex(spki) };
  const listed: AccountRecord = { ...anna, credentials: [{ ...credential, ...digests, listedBy }] };
  const blob = unwrap(sshBlobOf(spki));
  desk.apply(listed);
  const outcome = await desk.attempt.sshKey('anna', blob);
  if (outcome.kind !== 'admitted') throw new Error(outcome.kind);
  serials.push('0b');
  await desk.applyToSessions(listed);
  expect(outcome.session.ended.aborted).toBe(false);
  serials.push('0a');
  await desk.applyToSessions(listed);
  expect(outcome.session.ended.reason).toBe('credential-gone');
  expect(await desk.attempt.knowsSshKey('anna', blob)).toBe(false);
});

test('a password that was changed before the last proof came in admits nobody', async () => {
  await using desk = await openDesk('ssh', 'optional');
  desk.attempt.tlsCredential({ kind: 'none' });
  // A locked account: the right password is remembered, and refused.
  desk.apply({ ...anna, locked: true });
  expect(await desk.attempt.password('anna', 'password of hash-1')).toMatchObject({ kind: 'refused' });
  desk.apply({ ...anna, passwordHash: 'hash-2' });
  expect(await desk.attempt.name('anna')).toMatchObject({ kind: 'refused' });
  expect(desk.sessions.size).toBe(0);
  expect(await desk.attempt.password('anna', 'password of hash-2')).toMatchObject({ kind: 'admitted' });
});

test('a live session may no more than its account may now, and does not outlive its home', async () => {
  await using desk = await openDesk('ssh', 'optional');
  const all: AccountRecord = { ...anna, permissions: [{ path: '/', allow: ['list', 'mkdir'] }] };
  desk.apply(all);
  const outcome = await desk.attempt.password('anna', 'password of hash-1');
  if (outcome.kind !== 'admitted') throw new Error(outcome.kind);
  const { session } = outcome;
  const make = async (name: string) => (await session.files.makeDirectory(pathOf(name))).ok;
  expect(await make('/a')).toBe(true);

  await desk.applyToSessions({ ...all, permissions: [{ path: '/', allow: ['list'] }] });
  expect(session.ended.aborted).toBe(false);
  expect(await make('/b')).toBe(false);
  await desk.applyToSessions(all);
  expect(await make('/b')).toBe(true);

  await desk.applyToSessions({ ...all, home: '/elsewhere' });
  expect(session.ended.reason).toBe('home-changed');
});

test('an SSH key with sources lets in from them alone, and the log says why it did not', async () => {
  await using desk = await openDesk('ssh', 'optional');
  const { spki } = await generateKeyPair('ed25519');
  const blob = unwrap(sshBlobOf(spki));
  const keyed = (sources: string[]): AccountRecord => ({
    ...anna,
    credentials: [
      {
        certificate: 'crt-key',
        form: 'ssh-key',
        match: 'public-key',
        anchor: 'path',
        sha256: sha256Hex(spki),
        spkiSha256: sha256Hex(spki),
        sources,
      },
    ],
  });
  desk.apply(keyed(['10.0.0.0/8']));
  const refused = { outcome: 'refused', reason: 'the key may not be used from this address' };
  expect(await desk.attempt.knowsSshKey('anna', blob)).toBe(false);
  expect(desk.records).toMatchObject([refused]);
  expect(await desk.attempt.sshKey('anna', blob)).toMatchObject({ kind: 'continue' });
  expect(desk.records).toMatchObject([refused, refused]);

  desk.apply(keyed(['10.0.0.0/8', '192.0.2.0/24']));
  expect(await desk.attempt.knowsSshKey('anna', blob)).toBe(true);
  const outcome = await desk.attempt.sshKey('anna', blob);
  if (outcome.kind !== 'admitted') throw new Error(outcome.kind);
  await desk.applyToSessions(keyed(['10.0.0.0/8']));
  expect(outcome.session.ended.aborted).toBe(true);
});

test('after too many wrong passwords none is looked at, and a key still lets in', async () => {
  await using desk = await openDesk('ssh', 'optional');
  const { spki } = await generateKeyPair('ed25519');
  const digests = { sha256: sha256Hex(spki), spkiSha256: sha256Hex(spki) };
  const credential = {
    certificate: 'crt-key',
    form: 'ssh-key',
    match: 'public-key',
    anchor: 'path',
  } as const;
  desk.apply({ ...anna, credentials: [{ ...credential, ...digests }] });
  const refused = { kind: 'refused', fault: 'login-refused' };
  for (let n = 0; n < 5; n++) expect(await desk.attempt.password('anna', 'wrong')).toEqual(refused);
  expect(await desk.attempt.password('anna', 'password of hash-1')).toEqual(refused);
  expect(desk.records.map(({ reason, lockout }) => [reason, lockout])).toEqual([
    ...Array.from({ length: 5 }, () => ['password-wrong', undefined]),
    ['locked-out', 'account-source'],
  ]);
  // Every refusal is held back, whatever its reason.
  expect(desk.pauses).toHaveLength(6);
  expect(Math.min(...desk.pauses)).toBeGreaterThan(300);
  const blob = unwrap(sshBlobOf(spki));
  expect(await desk.attempt.sshKey('anna', blob)).toMatchObject({ kind: 'admitted' });
  expect(desk.pauses).toHaveLength(6);
});

test('keys that are not the account’s count nothing, signatures that do not verify do', async () => {
  await using desk = await openDesk('ssh', 'optional');
  const { spki } = await generateKeyPair('ed25519');
  const blob = unwrap(sshBlobOf(spki));
  for (let n = 0; n < 10; n++) {
    await desk.attempt.knowsSshKey('anna', blob);
    await desk.attempt.sshKey('anna', blob);
  }
  const first = await desk.attempt.password('anna', 'password of hash-1');
  expect(first).toMatchObject({ kind: 'admitted' });
  for (let n = 0; n < 5; n++) await desk.attempt.badSignature('anna');
  expect(await desk.attempt.password('anna', 'password of hash-1')).toMatchObject({ kind: 'refused' });
});

test('a second factor follows the password, once for each code, and its session ends with it', async () => {
  await using desk = await openDesk('ssh', 'optional');
  const totp: Totp = {
    secret: Buffer.from('12345678901234567890').toString('base64'),
    algorithm: 'SHA1',
    digits: 6,
    periodSeconds: 30,
  };
  const guarded: AccountRecord = { ...anna, secondFactor: totp };
  desk.apply(guarded);
  const code = codeAt(totp, Math.floor(Date.now() / 30_000));
  const partial = { kind: 'continue', missing: ['second-factor'], partial: true };

  // Before its password a code is not looked at, and not spent.
  expect(await desk.attempt.secondFactor('anna', code)).toMatchObject({ kind: 'continue', partial: false });
  expect(await desk.attempt.password('anna', 'password of hash-1')).toEqual(partial);
  expect(await desk.attempt.secondFactor('anna', '000000')).toMatchObject({ kind: 'refused' });
  const outcome = await desk.attempt.secondFactor('anna', code);
  if (outcome.kind !== 'admitted') throw new Error(outcome.kind);
  expect(desk.records.map(({ reason }) => reason)).toEqual(['second-factor-wrong', 'password+second-factor']);

  const second = desk.again();
  expect(await second.password('anna', 'password of hash-1')).toEqual(partial);
  expect(await second.secondFactor('anna', code)).toMatchObject({ kind: 'refused' });

  await desk.applyToSessions(guarded);
  expect(outcome.session.ended.aborted).toBe(false);
  await desk.applyToSessions({ ...guarded, secondFactor: { ...totp, secret: 'AAAA' } });
  expect(outcome.session.ended.reason).toBe('second-factor-gone');
});

test('wrong codes lock out, though the password before them was right each time', async () => {
  await using desk = await openDesk('ssh', 'optional');
  const secret = Buffer.from('12345678901234567890').toString('base64');
  desk.apply({ ...anna, secondFactor: { secret, algorithm: 'SHA1', digits: 8, periodSeconds: 30 } });
  for (let n = 0; n < 5; n++) {
    const attempt = desk.again();
    expect(await attempt.password('anna', 'password of hash-1')).toMatchObject({ kind: 'continue' });
    expect(await attempt.secondFactor('anna', '0')).toMatchObject({ kind: 'refused' });
  }
  expect(await desk.again().password('anna', 'password of hash-1')).toMatchObject({ kind: 'refused' });
  expect(desk.records.at(-1)).toMatchObject({ reason: 'locked-out', lockout: 'account-source' });
});
