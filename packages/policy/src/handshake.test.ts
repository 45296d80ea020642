import { describe, expect, it, test } from 'vitest';
import { proved } from '../fixture/login.ts';
import { admitHandshake, firstSshMethods, requestsCertificate, sshMethodsFor } from './handshake.ts';

const invalid = { kind: 'invalid', reason: 'expired' } as const;
const none = { kind: 'none' } as const;

describe('admitHandshake', () => {
  test.each([
    ['disabled', 'allow-password', none, 'proceed'],
    ['disabled', 'reject', invalid, 'proceed'],
    ['optional', 'allow-password', none, 'proceed'],
    ['optional', 'allow-password', invalid, 'proceed'],
    ['optional', 'allow-password', proved('a'), 'proceed'],
    ['optional', 'reject', none, 'proceed'],
    ['optional', 'reject', invalid, 'credential-invalid'],
    ['optional', 'reject', proved('a'), 'proceed'],
    ['required', 'allow-password', none, 'credential-missing'],
    ['required', 'allow-password', invalid, 'credential-invalid'],
    ['required', 'allow-password', proved('a'), 'proceed'],
    ['required', 'reject', none, 'credential-missing'],
    ['required', 'reject', invalid, 'credential-invalid'],
    ['required', 'reject', proved('a'), 'proceed'],
  ] as const)('%s, %s, %j: %s', (mode, onInvalidCertificate, credential, expected) => {
    const admission = admitHandshake(mode, { onInvalidCertificate }, credential);
    expect(admission.kind === 'proceed' ? 'proceed' : admission.reason).toBe(expected);
  });
});

test.each([
  ['disabled', false],
  ['optional', true],
  ['required', true],
] as const)('a TLS handshake under %s requests a certificate: %s', (mode, requested) => {
  expect(requestsCertificate(mode)).toBe(requested);
});

describe('SSH methods', () => {
  test.each([
    ['disabled', ['password', 'keyboard-interactive']],
    ['optional', ['publickey', 'password', 'keyboard-interactive']],
    ['required', ['publickey']],
  ] as const)('first under %s', (mode, methods) => {
    expect(firstSshMethods(mode)).toEqual(methods);
  });

  it('after a partial success bring what is missing and nothing else', () => {
    expect(sshMethodsFor(['password'])).toEqual(['password', 'keyboard-interactive']);
    expect(sshMethodsFor(['credential'])).toEqual(['publickey']);
    expect(sshMethodsFor([])).toEqual([]);
    expect(sshMethodsFor(['second-factor'])).toEqual(['keyboard-interactive']);
    expect(sshMethodsFor(['password', 'second-factor'])).toEqual(['password', 'keyboard-interactive']);
    expect(sshMethodsFor(['credential', 'second-factor'])).toEqual(['publickey', 'keyboard-interactive']);
  });
});
