import {
  defaultLoginSettings,
  encryptionRequiredForAll,
  everyone,
  type LoginSettings,
  type PolicyOverrides,
} from '@sallyport/model';
import { describe, expect, it, test } from 'vitest';
import { userClass } from '../fixture/login.ts';
import { effectivePolicy, passwordRule } from './effective.ts';

const global = {
  loginSettings: defaultLoginSettings,
  userClasses: [everyone],
  sslEntries: [encryptionRequiredForAll],
};
const effective = (
  overrides: PolicyOverrides = {},
  onInvalidCertificate: 'allow-password' | 'reject' = 'allow-password',
) => effectivePolicy(global, { overrides, onInvalidCertificate });

describe('effectivePolicy', () => {
  it('is the global documents where the zone has none of its own', () => {
    expect(effective()).toEqual({ ...global, onInvalidCertificate: 'allow-password' });
    expect(effective({}, 'reject').onInvalidCertificate).toBe('reject');
  });

  it('replaces each document whole, and the others not', () => {
    const loginSettings = { ...defaultLoginSettings, password: 'required' } as const;
    expect(effective({ loginSettings })).toMatchObject({ ...global, loginSettings });
    expect(effective({ userClasses: [] })).toMatchObject({ ...global, userClasses: [] });
    expect(effective({ sslEntries: [] })).toMatchObject({ ...global, sslEntries: [] });
  });

  it('compares patterns as it compares names', () => {
    const acme = userClass({ id: 'acme', namePattern: 'ACME-Ö*' });
    expect(effective({ userClasses: [acme] }).userClasses[0]?.namePattern).toBe('acme-ö*');
    const exact = { ...defaultLoginSettings, nameCase: 'exact' } as const;
    expect(effective({ userClasses: [acme], loginSettings: exact }).userClasses[0]?.namePattern).toBe(
      'ACME-Ö*',
    );
    const decomposed = userClass({ id: 'o', namePattern: 'o\u0308*' });
    expect(effective({ userClasses: [decomposed] }).userClasses[0]?.namePattern).toBe('\u00f6*');
  });
});

test.each([
  ['optional', ['everyone'], everyone, 'optional'],
  ['required', [], everyone, 'required'],
  ['required', [], undefined, 'required'],
  ['required-for-classes', ['everyone'], everyone, 'required'],
  ['required-for-classes', ['others'], everyone, 'optional'],
  ['required-for-classes', ['everyone'], undefined, 'optional'],
] as const)('passwordRule: %s, classes %j, class %o: %s', (password, passwordClasses, found, expected) => {
  const settings: LoginSettings = {
    ...defaultLoginSettings,
    password,
    passwordClasses: [...passwordClasses],
  };
  expect(passwordRule(settings, found)).toBe(expected);
});
