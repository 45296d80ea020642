import {
  type ClientCertificateMode,
  clientCertificateModes,
  everyone,
  type LoginSettings,
  serverProtocols,
} from '@sallyport/model';
import { describe, expect, it, test } from 'vitest';
import {
  alice,
  inShort,
  loginWith,
  policyWith,
  type Shown,
  serverWith,
  shown,
  userClass,
} from '../fixture/login.ts';
import { type AccountFacts, decide, entryRule, type LoginFacts } from './decide.ts';

type Row = {
  readonly clientCertificate: ClientCertificateMode;
  readonly password: LoginSettings['password'];
  readonly clientPassword: 'default' | 'disabled';
};
const rowOf = (
  clientCertificate: Row['clientCertificate'],
  password: Row['password'],
  clientPassword: Row['clientPassword'],
): Row => ({ clientCertificate, password, clientPassword });

/** Design section 4, written out: what each row answers to everything that can be shown. `ssh / tls` where they differ. */
const table: readonly (readonly [readonly Row[], Readonly<Record<Shown, string>>])[] = [
  [
    [
      rowOf('disabled', 'optional', 'default'),
      rowOf('disabled', 'required', 'default'),
      rowOf('disabled', 'optional', 'disabled'),
      rowOf('disabled', 'required', 'disabled'),
    ],
    {
      nothing: 'ask',
      password: 'permit password',
      'wrong password': 'password-wrong',
      'own credential': 'ask',
      'foreign credential': 'ask',
      'invalid credential': 'ask',
      'own credential, password': 'permit password',
      'own credential, wrong password': 'password-wrong',
      'foreign credential, password': 'permit password',
      'foreign credential, wrong password': 'password-wrong',
      'invalid credential, password': 'permit password',
      'invalid credential, wrong password': 'password-wrong',
    },
  ],
  [
    [rowOf('optional', 'optional', 'default'), rowOf('optional', 'optional', 'disabled')],
    {
      nothing: 'ask',
      password: 'permit password',
      'wrong password': 'password-wrong',
      'own credential': 'permit credential',
      'foreign credential': 'ask',
      'invalid credential': 'ask',
      'own credential, password': 'permit password+credential',
      'own credential, wrong password': 'password-wrong',
      'foreign credential, password': 'permit password despite credential-foreign',
      'foreign credential, wrong password': 'password-wrong',
      'invalid credential, password': 'permit password despite credential-invalid',
      'invalid credential, wrong password': 'password-wrong',
    },
  ],
  [
    [rowOf('optional', 'required', 'default'), rowOf('optional', 'required', 'disabled')],
    {
      nothing: 'ask',
      password: 'permit password',
      'wrong password': 'password-wrong',
      'own credential': 'partial, then password',
      'foreign credential': 'ask',
      'invalid credential': 'ask',
      'own credential, password': 'permit password+credential',
      'own credential, wrong password': 'password-wrong',
      'foreign credential, password': 'permit password despite credential-foreign',
      'foreign credential, wrong password': 'password-wrong',
      'invalid credential, password': 'permit password despite credential-invalid',
      'invalid credential, wrong password': 'password-wrong',
    },
  ],
  [
    [rowOf('required', 'optional', 'default'), rowOf('required', 'optional', 'disabled')],
    {
      nothing: 'ask / credential-missing',
      password: 'credential-missing',
      'wrong password': 'password-wrong',
      'own credential': 'permit credential',
      'foreign credential': 'credential-foreign',
      'invalid credential': 'credential-invalid',
      'own credential, password': 'permit password+credential',
      'own credential, wrong password': 'password-wrong',
      'foreign credential, password': 'credential-foreign',
      'foreign credential, wrong password': 'password-wrong',
      'invalid credential, password': 'credential-invalid',
      'invalid credential, wrong password': 'password-wrong',
    },
  ],
  [
    [rowOf('required', 'required', 'default')],
    {
      nothing: 'ask / credential-missing',
      password: 'partial, then credential / credential-missing',
      'wrong password': 'password-wrong',
      'own credential': 'partial, then password',
      'foreign credential': 'credential-foreign',
      'invalid credential': 'credential-invalid',
      'own credential, password': 'permit password+credential',
      'own credential, wrong password': 'password-wrong',
      'foreign credential, password': 'credential-foreign',
      'foreign credential, wrong password': 'password-wrong',
      'invalid credential, password': 'credential-invalid',
      'invalid credential, wrong password': 'password-wrong',
    },
  ],
  [
    // Publish refuses it; should it come to a login all the same, nobody is admitted.
    [rowOf('required', 'required', 'disabled')],
    {
      nothing: 'ask / credential-missing',
      password: 'rules-admit-nobody / credential-missing',
      'wrong password': 'password-wrong',
      'own credential': 'rules-admit-nobody',
      'foreign credential': 'credential-foreign',
      'invalid credential': 'credential-invalid',
      'own credential, password': 'rules-admit-nobody',
      'own credential, wrong password': 'password-wrong',
      'foreign credential, password': 'credential-foreign',
      'foreign credential, wrong password': 'password-wrong',
      'invalid credential, password': 'credential-invalid',
      'invalid credential, wrong password': 'password-wrong',
    },
  ],
];

const cases = table.flatMap(([rows, answers]) =>
  rows.flatMap((row) =>
    serverProtocols.flatMap((protocol) =>
      // Only SSH has clientPassword; elsewhere it is `default`.
      protocol !== 'ssh' && row.clientPassword === 'disabled'
        ? []
        : Object.entries(answers).map(([what, answer]) => {
            const [ssh, tls = ssh] = answer.split(' / ');
            return { protocol, ...row, what: what as Shown, expected: protocol === 'ssh' ? ssh : tls };
          }),
    ),
  ),
);

describe('the table', () => {
  test.each(cases)(
    '$protocol, $clientCertificate, password $password, clientPassword $clientPassword: $what',
    ({ protocol, clientCertificate, clientPassword, password, what, expected }) => {
      const facts = loginWith(what, {
        server: serverWith({ protocol, clientCertificate, clientPassword }),
        policy: policyWith({ password }),
      });
      expect(inShort(decide(facts))).toBe(expected);
    },
  );

  // A required password by class is the same row as one required of all, for the classes that are listed.
  test.each(cases.filter(({ password }) => password === 'required'))(
    '$protocol, $clientCertificate, required for the class, clientPassword $clientPassword: $what',
    ({ protocol, clientCertificate, clientPassword, what, expected }) => {
      const server = serverWith({ protocol, clientCertificate, clientPassword });
      const settings = { password: 'required-for-classes' as const, passwordClasses: ['everyone'] };
      expect(inShort(decide(loginWith(what, { server, policy: policyWith(settings) })))).toBe(expected);
    },
  );

  test.each(cases.filter(({ password }) => password === 'optional'))(
    '$protocol, $clientCertificate, required for another class, clientPassword $clientPassword: $what',
    ({ protocol, clientCertificate, clientPassword, what, expected }) => {
      const server = serverWith({ protocol, clientCertificate, clientPassword });
      const settings = { password: 'required-for-classes' as const, passwordClasses: ['others'] };
      expect(inShort(decide(loginWith(what, { server, policy: policyWith(settings) })))).toBe(expected);
    },
  );
});

describe('a class that requires a certificate', () => {
  const raised = (password: LoginSettings['password'], rest: Partial<LoginFacts> = {}) => ({
    policy: policyWith({ password, certificateClasses: ['everyone'] }),
    ...rest,
  });

  // What differs from a required server: the handshake and the first methods went by `optional`.
  const differing: readonly Shown[] = ['nothing', 'foreign credential', 'invalid credential'];

  test.each(
    cases.filter(
      ({ clientCertificate, password, what }) =>
        clientCertificate === 'required' && password !== 'required-for-classes' && !differing.includes(what),
    ),
  )(
    '$protocol, optional raised to required, password $password, clientPassword $clientPassword: $what',
    ({ protocol, password, clientPassword, what, expected }) => {
      const server = serverWith({ protocol, clientPassword, clientCertificate: 'optional' });
      // Only at a required TLS server is a missing certificate refused before the class is asked.
      const answer =
        what === 'password' && protocol !== 'ssh'
          ? 'credential-missing'
          : what === 'password' && password === 'required' && clientPassword === 'disabled'
            ? 'rules-admit-nobody'
            : expected;
      expect(inShort(decide(loginWith(what, raised(password, { server }))))).toBe(answer);
    },
  );

  test.each(serverProtocols.flatMap((protocol) => differing.map((what) => ({ protocol, what }))))(
    '$protocol: $what is not told apart from what any other name meets',
    ({ protocol, what }) => {
      const server = serverWith({ protocol });
      expect(inShort(decide(loginWith(what, raised('optional', { server }))))).toBe('ask');
    },
  );

  test.each(['password', 'own credential, password'] as const)(
    'is refused with %s where the server requests none',
    (what) => {
      const server = serverWith({ clientCertificate: 'disabled' });
      expect(inShort(decide(loginWith(what, raised('optional', { server }))))).toBe(
        'certificate-required-not-requested',
      );
    },
  );

  it('is the first enabled one that matches, and no other', () => {
    const strict = userClass({ id: 'strict', group: 'partners' });
    const settings = { certificateClasses: ['strict'] };
    const answer = (userClasses: (typeof strict)[], groups = ['partners']) =>
      inShort(
        decide(
          loginWith('password', {
            policy: policyWith(settings, { userClasses }),
            account: { ...alice, groups },
          }),
        ),
      );
    expect(answer([strict, everyone])).toBe('credential-missing');
    expect(answer([strict, everyone], ['staff'])).toBe('permit password');
    expect(answer([everyone, strict])).toBe('permit password');
    expect(answer([{ ...strict, enabled: false }, everyone])).toBe('permit password');
    expect(answer([])).toBe('permit password');
  });

  it('leaves server and other classes alone', () => {
    const policy = policyWith({ certificateClasses: ['strict'] });
    expect(entryRule(serverWith(), policy, everyone, alice)).toMatchObject({ clientCertificate: 'optional' });
    expect(entryRule(serverWith(), policy, undefined, alice)).toMatchObject({
      clientCertificate: 'optional',
    });
  });
});

describe('an invalid certificate under optional', () => {
  const reject = policyWith({}, { onInvalidCertificate: 'reject' });
  test.each([
    ['invalid credential', 'credential-invalid'],
    ['invalid credential, password', 'credential-invalid'],
    ['foreign credential', 'credential-foreign'],
    ['foreign credential, password', 'credential-foreign'],
    ['invalid credential, wrong password', 'password-wrong'],
    ['own credential', 'permit credential'],
    ['nothing', 'ask'],
    ['password', 'permit password'],
  ] as const)('under reject, %s: %s', (what, expected) => {
    for (const protocol of serverProtocols) {
      expect(inShort(decide(loginWith(what, { server: serverWith({ protocol }), policy: reject })))).toBe(
        expected,
      );
    }
  });

  it('is not looked at where none is requested', () => {
    const server = serverWith({ protocol: 'ftp', clientCertificate: 'disabled' });
    const facts = loginWith('invalid credential, password', { server, policy: reject });
    expect(inShort(decide(facts))).toBe('permit password');
  });
});

describe('what a permission says', () => {
  it('names the registered certificate and the class', () => {
    expect(decide(loginWith('own credential'))).toEqual({
      kind: 'permit',
      proofs: ['credential'],
      certificate: 'crt-acc-alice',
      userClass: 'everyone',
    });
  });

  it('names no class where none matches', () => {
    const policy = policyWith({}, { userClasses: [] });
    expect(decide(loginWith('password', { policy }))).toEqual({ kind: 'permit', proofs: ['password'] });
  });
});

describe('a second factor', () => {
  const withFactor: AccountFacts = { ...alice, secondFactor: 'set' };
  const demanded = policyWith({ secondFactorClasses: ['everyone'] });
  const answer = (what: Shown, changes: Partial<LoginFacts> = {}) =>
    inShort(decide(loginWith(what, { account: withFactor, ...changes })));

  test.each(serverProtocols)('over %s follows the password of an account that has one', (protocol) => {
    const server = serverWith({ protocol });
    expect(answer('password', { server })).toBe('partial, then second-factor');
    expect(answer('password', { server, secondFactor: 'verified' })).toBe('permit password+second-factor');
    expect(answer('password', { server, secondFactor: 'failed' })).toBe('second-factor-wrong');
    expect(answer('own credential', { server })).toBe('permit credential');
    // What admits alone admits with a password beside it.
    expect(answer('own credential, password', { server })).toBe('permit password+credential');
    expect(answer('wrong password', { server, secondFactor: 'verified' })).toBe('password-wrong');
  });

  test.each(serverProtocols)('over %s follows a credential too where the class needs it', (protocol) => {
    const server = serverWith({ protocol });
    expect(answer('own credential', { server, policy: demanded })).toBe('partial, then second-factor');
    expect(answer('own credential', { server, policy: demanded, secondFactor: 'verified' })).toBe(
      'permit credential+second-factor',
    );
    expect(answer('password', { server, policy: demanded })).toBe('partial, then second-factor');
    for (const what of ['password', 'own credential', 'own credential, password'] as const) {
      expect(answer(what, { server, policy: demanded, account: alice })).toBe('second-factor-missing');
    }
  });

  it('comes beside credential and password where both are needed', () => {
    const required = {
      server: serverWith({ clientCertificate: 'required' }),
      policy: policyWith({ password: 'required' }),
    };
    expect(answer('own credential', required)).toBe('partial, then password+second-factor');
    expect(answer('password', required)).toBe('partial, then credential+second-factor');
    expect(answer('password', { ...required, secondFactor: 'verified' })).toBe('partial, then credential');
    expect(answer('own credential, password', { ...required, secondFactor: 'verified' })).toBe(
      'permit password+credential+second-factor',
    );
    const overTls = { ...required, server: serverWith({ protocol: 'ftp', clientCertificate: 'required' }) };
    expect(answer('password', overTls)).toBe('credential-missing');
    expect(answer('own credential, password', overTls)).toBe('partial, then second-factor');
  });

  it('is nothing by itself, and changes no answer to who has proved nothing', () => {
    for (const what of ['nothing', 'foreign credential', 'invalid credential'] as const) {
      for (const secondFactor of ['verified', 'failed', 'absent'] as const) {
        for (const policy of [policyWith(), demanded]) {
          expect(answer(what, { policy, secondFactor })).toBe('ask');
        }
      }
    }
  });

  it('never lets in who would not be let in without it', () => {
    for (const what of Object.keys(shown) as Shown[]) {
      for (const policy of [policyWith(), demanded]) {
        for (const protocol of serverProtocols) {
          const server = serverWith({ protocol });
          const without = inShort(decide(loginWith(what, { server })));
          const withIt = answer(what, { server, policy, secondFactor: 'verified' });
          if (withIt.startsWith('permit')) expect(without).toMatch(/^permit/);
        }
      }
    }
  });
});

describe('who is locked out', () => {
  test.each(serverProtocols)(
    'over %s is refused by password and code, whatever else was shown',
    (protocol) => {
      const server = serverWith({ protocol });
      for (const what of Object.keys(shown) as Shown[]) {
        for (const account of [alice, undefined]) {
          const facts = loginWith(what, { server, account, password: 'locked-out' });
          expect(inShort(decide(facts))).toBe('locked-out');
        }
      }
      const own = loginWith('own credential, password', { server, secondFactor: 'locked-out' });
      expect(inShort(decide(own))).toBe('locked-out');
    },
  );

  it('still logs in by a credential alone', () => {
    expect(inShort(decide(loginWith('own credential')))).toBe('permit credential');
  });
});

describe('a server that does not run', () => {
  test.each(['draining', 'suspended'] as const)('%s admits nobody', (state) => {
    for (const what of Object.keys(shown) as Shown[]) {
      const facts = loginWith(what, { server: serverWith({ state }) });
      expect(inShort(decide(facts))).toBe('server-not-running');
      expect(inShort(decide({ ...facts, account: undefined }))).toBe('server-not-running');
    }
  });
});

describe('a clear connection', () => {
  const entry = (encryption: 'required' | 'optional', userClassId = '*') => ({
    id: `${userClassId}-${encryption}`,
    userClass: userClassId,
    encryption,
    enabled: true,
  });
  const clear = (policy: LoginFacts['policy'], rest: Partial<LoginFacts> = {}) =>
    inShort(
      decide(
        loginWith('password', {
          channel: 'clear',
          server: serverWith({ protocol: 'ftp', clientCertificate: 'disabled' }),
          policy,
          ...rest,
        }),
      ),
    );

  it('needs an entry that says so', () => {
    expect(clear(policyWith())).toBe('tls-required');
    expect(clear(policyWith({}, { sslEntries: [] }))).toBe('tls-required');
    expect(clear(policyWith({}, { sslEntries: [entry('optional')] }))).toBe('permit password');
  });

  it('answers before it knows whether there is such an account, and before it looks at a password', () => {
    for (const what of Object.keys(shown) as Shown[]) {
      for (const account of [alice, undefined]) {
        const facts = loginWith(what, {
          channel: 'clear',
          server: serverWith({ protocol: 'ftp' }),
          account,
        });
        expect(inShort(decide(facts))).toBe('tls-required');
      }
    }
  });

  it('counts a class that needs the account’s groups as required, whoever asks', () => {
    const partners = userClass({ id: 'partners', group: 'partners' });
    const policy = policyWith(
      {},
      {
        userClasses: [partners, everyone],
        sslEntries: [entry('optional', 'partners'), entry('optional', 'everyone')],
      },
    );
    expect(clear(policy)).toBe('tls-required');
    expect(clear(policy, { account: undefined })).toBe('tls-required');
  });
});

describe('an account that may not log in', () => {
  const standings = [
    ['account-disabled', { enabled: false, locked: false }],
    ['account-locked', { enabled: true, locked: true }],
    ['account-disabled', { enabled: false, locked: true }],
  ] as const;

  test.each(standings)('is told so only after its proof: %s', (reason, standing) => {
    const account = { ...alice, ...standing };
    for (const clientCertificate of clientCertificateModes) {
      for (const password of ['optional', 'required'] as const) {
        for (const protocol of serverProtocols) {
          for (const what of Object.keys(shown) as Shown[]) {
            const facts = loginWith(what, {
              server: serverWith({ protocol, clientCertificate }),
              policy: policyWith({ password }),
            });
            const good = inShort(decide(facts));
            const answer = inShort(decide({ ...facts, account }));
            const withoutProof = /^(ask|password-wrong|credential-)/.test(good);
            // A password where none counts is proved all the same; over the wire it is one refusal like another.
            if (withoutProof && good !== 'credential-missing') expect(answer).toBe(good);
            else expect([reason, 'credential-missing']).toContain(answer);
            if (good.startsWith('permit') || good.startsWith('partial')) expect(answer).toBe(reason);
          }
        }
      }
    }
  });
});

describe('purity', () => {
  it('reads its facts and changes nothing', () => {
    const facts = structuredClone(loginWith('own credential, password'));
    const before = structuredClone(facts);
    expect(decide(facts)).toEqual(decide(facts));
    expect(facts).toEqual(before);
  });

  it('refuses where a class cannot be told', () => {
    const facts = loginWith('password', { name: 'x'.repeat(600) });
    expect(inShort(decide(facts))).toBe('rules-admit-nobody');
  });
});
