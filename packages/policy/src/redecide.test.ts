import { everyone } from '@sallyport/model';
import { describe, expect, it, test } from 'vitest';
import { alice, policyWith, serverWith, userClass } from '../fixture/login.ts';
import type { AccountFacts, ServerFacts } from './decide.ts';
import type { EffectivePolicy } from './effective.ts';
import { redecide, type SessionFacts } from './redecide.ts';

const session: SessionFacts = {
  accountId: alice.id,
  name: 'alice',
  source: '192.0.2.7',
  channel: 'encrypted',
  proofs: ['password', 'credential'],
  passwordStands: true,
  credentialStands: true,
  secondFactorStands: true,
};

const again = (
  change: {
    session?: Partial<SessionFacts>;
    server?: ServerFacts | 'gone';
    policy?: EffectivePolicy;
    account?: AccountFacts | 'gone';
  } = {},
): string => {
  const { server = serverWith(), account = alice, policy = policyWith() } = change;
  const decision = redecide(
    { ...session, ...change.session },
    server === 'gone' ? undefined : server,
    policy,
    account === 'gone' ? undefined : account,
  );
  return decision.kind === 'end' ? decision.reason : decision.kind;
};

describe('what a session rests on', () => {
  it('stands: it goes on', () => {
    expect(again()).toBe('keep');
    expect(again({ server: serverWith({ state: 'draining' }) })).toBe('keep');
  });

  test.each([
    ['server-gone', { server: 'gone' }],
    ['server-gone', { server: serverWith({ state: 'suspended' }) }],
    ['account-gone', { account: 'gone' }],
    // Another account that took over the name is not the one that logged in.
    ['account-gone', { account: { ...alice, id: 'acc-new' } }],
    ['account-disabled', { account: { ...alice, enabled: false } }],
    ['account-locked', { account: { ...alice, locked: true } }],
    ['password-changed', { session: { passwordStands: false } }],
    ['credential-gone', { session: { credentialStands: false } }],
    ['second-factor-gone', { session: { proofs: ['password', 'second-factor'], secondFactorStands: false } }],
  ] as const)('is gone: %s, %j', (reason, change) => {
    expect(again(change)).toBe(reason);
  });

  it('is its own proofs: what it never used may go', () => {
    expect(again({ session: { proofs: ['credential'], passwordStands: false } })).toBe('keep');
    expect(again({ session: { proofs: ['password'], credentialStands: false } })).toBe('keep');
  });

  it('is gone even where the rules have become stricter too', () => {
    const policy = policyWith({ password: 'required' });
    expect(again({ policy, session: { proofs: ['credential'], credentialStands: false } })).toBe(
      'credential-gone',
    );
  });
});

describe('stricter rules', () => {
  test.each([
    // Server and password mode, proofs, and what becomes of the session.
    ['disabled', 'optional', ['password'], 'keep'],
    ['disabled', 'optional', ['credential'], 'outdated'],
    ['disabled', 'optional', ['password', 'credential'], 'keep'],
    ['optional', 'optional', ['credential'], 'keep'],
    ['optional', 'required', ['credential'], 'outdated'],
    ['optional', 'required', ['password'], 'keep'],
    ['required', 'optional', ['password'], 'outdated'],
    ['required', 'optional', ['credential'], 'keep'],
    ['required', 'required', ['credential'], 'outdated'],
    ['required', 'required', ['password'], 'outdated'],
    ['required', 'required', ['password', 'credential'], 'keep'],
  ] as const)('%s, password %s: a session on %j is %s', (clientCertificate, password, proofs, expected) => {
    expect(
      again({
        server: serverWith({ clientCertificate }),
        policy: policyWith({ password }),
        session: { proofs },
      }),
    ).toBe(expected);
  });

  it('by class outdate those of the class', () => {
    const strict = userClass({ id: 'strict', group: 'partners' });
    const policy = policyWith({ certificateClasses: ['strict'] }, { userClasses: [strict, everyone] });
    const onPassword = { proofs: ['password'] } as const;
    expect(again({ policy, session: onPassword })).toBe('outdated');
    expect(again({ policy })).toBe('keep');
    expect(again({ policy, session: onPassword, account: { ...alice, groups: [] } })).toBe('keep');
    const disabled = serverWith({ clientCertificate: 'disabled' });
    expect(again({ policy, server: disabled })).toBe('outdated');
  });

  it('on the second factor outdate who came without it', () => {
    const account = { ...alice, secondFactor: 'set' } as const;
    expect(again({ account, session: { proofs: ['password'] } })).toBe('outdated');
    expect(again({ account, session: { proofs: ['credential'] } })).toBe('keep');
    expect(again({ account, session: { proofs: ['password', 'second-factor'] } })).toBe('keep');
    const policy = policyWith({ secondFactorClasses: ['everyone'] });
    expect(again({ policy, account, session: { proofs: ['credential'] } })).toBe('outdated');
  });

  it('that admit nobody outdate everybody', () => {
    const server = serverWith({ clientCertificate: 'required', clientPassword: 'disabled' });
    expect(again({ server, policy: policyWith({ password: 'required' }) })).toBe('outdated');
  });

  it('on encryption outdate clear sessions alone', () => {
    const clear = { channel: 'clear' } as const;
    const allowed = policyWith(
      {},
      { sslEntries: [{ id: 'e', userClass: '*', encryption: 'optional', enabled: true }] },
    );
    expect(again({ session: clear, policy: allowed })).toBe('keep');
    expect(again({ session: clear })).toBe('outdated');
    expect(again()).toBe('keep');
  });
});
