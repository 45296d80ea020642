// The table of entry rules with every stock SSH client: whatever way a client takes through the methods that it is offered,
// a key, a password and both of them bring it in exactly where the rules say so.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makePartner } from './support/partner.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { type Brought, sshLoginClients } from './support/ssh-logins.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

type Proof = 'key' | 'password' | 'key and password' | 'wrong password' | 'key of another account';

/** Design section 4: for each row, what admits. */
const table: readonly {
  readonly clientCertificate: 'disabled' | 'optional' | 'required';
  readonly password: 'optional' | 'required';
  readonly admits: readonly Proof[];
}[] = [
  { clientCertificate: 'optional', password: 'optional', admits: ['key', 'password', 'key and password'] },
  { clientCertificate: 'optional', password: 'required', admits: ['password', 'key and password'] },
  { clientCertificate: 'required', password: 'required', admits: ['key and password'] },
  { clientCertificate: 'required', password: 'optional', admits: ['key', 'key and password'] },
  { clientCertificate: 'disabled', password: 'optional', admits: ['password', 'key and password'] },
];

let quickstart: Quickstart;
let demo: Demo;
let proofs: Readonly<Record<Proof, Brought>>;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  const other = await makePartner(quickstart, demo.zone.id, 'other');
  const { files, account } = quickstart.contract;
  proofs = {
    key: { key: files.sshKey },
    password: { password: account.password },
    'key and password': { key: files.sshKey, password: account.password },
    'wrong password': { password: 'not the password' },
    'key of another account': { key: other.key },
  };
});
afterAll(() => quickstart.stop());

async function enter(
  clientCertificate: 'disabled' | 'optional' | 'required',
  password: 'optional' | 'required',
): Promise<void> {
  const settings = await quickstart.api.loginSettings();
  // Clients with no password to give try an empty one, again and again: nobody is to be locked out for that here.
  const lockout = { ...settings.lockout, allow: ['127.0.0.1/32'], failureDelayMs: 0 };
  await quickstart.api.changeLoginSettings({ password, lockout }, settings.version);
  const { changeSequence } = await changeServer(quickstart, demo.ssh.id, { clientCertificate });
  await untilLive(quickstart, demo.zone.id, changeSequence);
}

describe.each(table)(
  'client certificate $clientCertificate, password $password',
  ({ clientCertificate, password, admits }) => {
    beforeAll(() => enter(clientCertificate, password));

    const tried: readonly Proof[] = ['key', 'password', 'key and password'];
    test.each(tried)('%s', (proof) =>
      tryAll(
        proof,
        admits.includes(proof) ? 'came in' : 'was refused',
        // libssh2 looks at the first list of methods alone, which has no password in it where a key must come first.
        clientCertificate === 'required' && password === 'required' ? ['curl'] : [],
      ),
    );
  },
);

describe('nobody comes in', () => {
  beforeAll(() => enter('optional', 'optional'));
  test.each(['key of another account', 'wrong password'] as const)('with a %s', (proof) =>
    tryAll(proof, 'was refused'),
  );
});

/** Every client with the same proof, side by side. */
async function tryAll(
  proof: Proof,
  expected: 'came in' | 'was refused',
  unable: readonly string[] = [],
): Promise<void> {
  const clients = Object.entries(sshLoginClients).filter(([client]) => !unable.includes(client));
  const came = await Promise.all(
    clients.map(async ([client, login]) => {
      const done = await login(quickstart.contract, proofs[proof]);
      const outcome = done.code === 0 ? 'came in' : 'was refused';
      return { client, outcome, said: done.stderr.slice(-200) };
    }),
  );
  expect(came.filter(({ outcome }) => outcome !== expected)).toEqual([]);
}
