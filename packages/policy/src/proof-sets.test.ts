import { clientCertificateModes } from '@sallyport/model';
import { expect, it, test } from 'vitest';
import { proofSets } from './proof-sets.ts';

// Design section 4, column "login succeeds iff".
test.each([
  ['disabled', 'optional', 'default', [['password']]],
  ['disabled', 'optional', 'disabled', [['password']]],
  ['disabled', 'required', 'default', [['password']]],
  ['disabled', 'required', 'disabled', [['password']]],
  ['optional', 'optional', 'default', [['credential'], ['password']]],
  ['optional', 'optional', 'disabled', [['credential'], ['password']]],
  ['optional', 'required', 'default', [['password']]],
  ['optional', 'required', 'disabled', [['password']]],
  ['required', 'optional', 'default', [['credential']]],
  ['required', 'optional', 'disabled', [['credential']]],
  ['required', 'required', 'default', [['credential', 'password']]],
  ['required', 'required', 'disabled', []],
] as const)('%s, password %s, clientPassword %s', (clientCertificate, password, clientPassword, sets) => {
  expect(proofSets({ clientCertificate, password, clientPassword, secondFactor: 'none' })).toEqual(sets);
});

it('never admits without a proof', () => {
  for (const clientCertificate of clientCertificateModes) {
    for (const password of ['optional', 'required'] as const) {
      for (const clientPassword of ['default', 'disabled'] as const) {
        const rule = { clientCertificate, password, clientPassword, secondFactor: 'none' } as const;
        for (const set of proofSets(rule)) {
          expect(set.length).toBeGreaterThan(0);
        }
      }
    }
  }
});

test.each([
  ['optional', 'optional', 'with-password', [['credential'], ['password', 'second-factor']]],
  [
    'optional',
    'optional',
    'always',
    [
      ['credential', 'second-factor'],
      ['password', 'second-factor'],
    ],
  ],
  ['required', 'optional', 'with-password', [['credential']]],
  ['required', 'required', 'with-password', [['credential', 'password', 'second-factor']]],
] as const)('%s, password %s, second factor %s', (clientCertificate, password, secondFactor, sets) => {
  expect(proofSets({ clientCertificate, password, clientPassword: 'default', secondFactor })).toEqual(sets);
});
