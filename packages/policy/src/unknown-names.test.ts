import { clientCertificateModes, everyone, serverProtocols } from '@sallyport/model';
import { describe, expect, it, test } from 'vitest';
import {
  alice,
  inShort,
  loginWith,
  policyWith,
  type Shown,
  serverWith,
  userClass,
} from '../fixture/login.ts';
import { type Decision, decide } from './decide.ts';

describe('unknown names', () => {
  /** All that a peer can see of a decision. */
  const onTheWire = (decision: Decision): unknown => {
    if (decision.kind === 'refuse') {
      return decision.reason === 'tls-required' ? 'tls-required' : 'refused';
    }
    if (decision.kind === 'continue') return decision;
    return 'admitted';
  };
  /** SSH answers a refusal and a request for more alike: USERAUTH_FAILURE with the methods of the server. */
  const overSsh = (decision: Decision): unknown => {
    const seen = onTheWire(decision);
    return decision.kind === 'continue' && !decision.partial ? 'refused' : seen;
  };

  const strict = userClass({ id: 'strict', group: 'partners' });
  const policies = [...(['optional', 'required', 'required-for-classes'] as const)].flatMap((password) =>
    (['allow-password', 'reject'] as const).flatMap((onInvalidCertificate) =>
      [[], ['everyone'], ['strict']].flatMap((certificateClasses) =>
        [[everyone], [strict, everyone], [], [userClass({ id: 'everyone', namePattern: 'al*' })]].flatMap(
          (userClasses) =>
            [
              [],
              [{ id: 'e', userClass: 'everyone', encryption: 'optional' as const, enabled: true }],
              [{ id: 'e', userClass: '*', encryption: 'optional' as const, enabled: true }],
            ].map((sslEntries) =>
              policyWith(
                { password, certificateClasses, passwordClasses: ['everyone', 'strict'] },
                { onInvalidCertificate, userClasses, sslEntries },
              ),
            ),
        ),
      ),
    ),
  );
  const servers = serverProtocols.flatMap((protocol) =>
    clientCertificateModes.flatMap((clientCertificate) =>
      (protocol === 'ssh' ? (['default', 'disabled'] as const) : (['default'] as const)).map(
        (clientPassword) => serverWith({ protocol, clientCertificate, clientPassword }),
      ),
    ),
  );
  const accounts = [
    alice,
    { ...alice, enabled: false },
    { ...alice, locked: true },
    { ...alice, groups: [] },
  ] as const;
  // What somebody can show who does not hold the account’s proofs.
  const attempts: readonly Shown[] = [
    'nothing',
    'wrong password',
    'foreign credential',
    'invalid credential',
    'foreign credential, wrong password',
    'invalid credential, wrong password',
  ];

  test.each(attempts)('meet with %s what a known name meets, whatever the rules', (what) => {
    for (const policy of policies) {
      for (const server of servers) {
        for (const channel of server.protocol === 'ssh'
          ? (['encrypted'] as const)
          : (['encrypted', 'clear'] as const)) {
          const facts = loginWith(what, { policy, server, channel });
          const seen = server.protocol === 'ssh' ? overSsh : onTheWire;
          const unknown = seen(decide({ ...facts, account: undefined }));
          for (const account of accounts) {
            const known = seen(decide({ ...facts, account }));
            if (JSON.stringify(known) !== JSON.stringify(unknown)) {
              expect.fail(`${JSON.stringify({ ...facts, account })}: ${JSON.stringify({ known, unknown })}`);
            }
          }
        }
      }
    }
  });

  it('are named in the log', () => {
    expect(inShort(decide(loginWith('wrong password', { account: undefined })))).toBe('unknown-account');
    // The dummy hash of an unknown name never matches; were it to, nobody is let in.
    expect(inShort(decide(loginWith('password', { account: undefined })))).toBe('unknown-account');
    expect(inShort(decide(loginWith('own credential', { account: undefined })))).toBe('ask');
  });

  it('cost no time, however long they are', () => {
    const policy = policyWith(
      {},
      {
        userClasses: Array.from({ length: 200 }, (_, at) =>
          userClass({ id: `c${at}`, namePattern: `${'*a'.repeat(120)}b` }),
        ),
      },
    );
    const name = 'a'.repeat(1_000_000);
    const started = performance.now();
    for (const channel of ['clear', 'encrypted'] as const) {
      decide(loginWith('wrong password', { name, policy, channel, account: undefined }));
    }
    expect(performance.now() - started).toBeLessThan(200);
  });
});
