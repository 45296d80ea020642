import { toBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPair, parseAuthorizedKey, sshBlobOf, sshPublicKeyLine } from './index.ts';

let key = '';
let base64 = '';
beforeAll(async () => {
  const blob = unwrap(sshBlobOf((await generateKeyPair('ed25519')).spki));
  key = sshPublicKeyLine(blob);
  base64 = toBase64(blob);
});

describe('options', () => {
  it.each([
    ['restrict', undefined],
    ['no-pty,no-port-forwarding,no-agent-forwarding,no-user-rc,no-X11-forwarding', undefined],
    ['RESTRICT', undefined],
    ['expiry-time="20301231"', '2030-12-31T00:00:00Z'],
    ['expiry-time="20301231Z"', '2030-12-31T00:00:00Z'],
    ['expiry-time="203012312359"', '2030-12-31T23:59:00Z'],
    ['expiry-time="20301231235958Z"', '2030-12-31T23:59:58Z'],
    ['restrict,expiry-time="20301231",expiry-time="20290101"', '2029-01-01T00:00:00Z'],
  ])('%s is accepted', (options, validUntil) => {
    const parsed = unwrap(parseAuthorizedKey(`${options} ${key} my comment`));
    expect(parsed.options.validUntil).toBe(validUntil);
    expect(parsed.comment).toBe('my comment');
  });

  it.each([
    ['from="10.0.0.0/8"', 'from'],
    ['cert-authority', 'cert-authority'],
    ['command="echo \\"a b\\", c"', 'command'],
    ['restrict,pty', 'pty'],
    ['no-touch-required', 'no-touch-required'],
    ['environment="A=b"', 'environment'],
    ['permitopen="h:1"', 'permitopen'],
    ['restrict="yes"', 'restrict'],
    ['made-up', 'made-up'],
  ])('%s refuses the line and is named', (options, name) => {
    expect(parseAuthorizedKey(`${options} ${key}`)).toMatchObject({
      ok: false,
      fault: { code: 'key-option-unsupported', detail: `option ${name}` },
    });
  });

  it.each([
    'expiry-time="20301331"',
    'expiry-time="2030"',
    'expiry-time=20301231',
    'expiry-time',
    'expiry-time="20301231',
    'restrict,',
    ',restrict',
  ])('%s is malformed', (options) => {
    expect(parseAuthorizedKey(`${options} ${key}`)).toMatchObject({
      ok: false,
      fault: { code: 'key-malformed' },
    });
  });
});

describe('lines', () => {
  it('takes a line end, tabs and quotes in the comment', () => {
    expect(unwrap(parseAuthorizedKey(`ssh-ed25519\t${base64}\tit's "mine"\r\n`)).comment).toBe(`it's "mine"`);
  });

  it.each([
    ['empty', () => ''],
    ['a comment', () => `# ${key}`],
    ['no base64', () => 'ssh-ed25519 ???'],
    ['no key', () => 'ssh-ed25519'],
    ['options alone', () => 'restrict'],
    ['another type than the key has', () => `ssh-rsa ${base64}`],
    ['two lines', () => `${key}\n${key}`],
    ['a control character', () => `${key} a\u0000b`],
    ['too long', () => `${key} ${'a'.repeat(20_000)}`],
    ['a PEM', () => '-----BEGIN PUBLIC KEY-----'],
  ])('%s is malformed', (_, line) => {
    expect(parseAuthorizedKey(line())).toMatchObject({ ok: false, fault: { code: 'key-malformed' } });
  });

  it.each(['ssh-dss', 'sk-ssh-ed25519@openssh.com', 'ssh-ed25519-cert-v01@openssh.com'])(
    '%s is not supported',
    (type) => {
      const name = new TextEncoder().encode(type);
      const blob = toBase64(Uint8Array.of(0, 0, 0, name.length, ...name, 0, 0, 0, 1, 1));
      expect(parseAuthorizedKey(`${type} ${blob}`)).toMatchObject({
        ok: false,
        fault: { code: 'key-unsupported' },
      });
    },
  );
});
