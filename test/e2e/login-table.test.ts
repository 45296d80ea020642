// The table of entry rules, row by row and with stock clients: for every way a server may treat client certificates and
// every rule about passwords, each client that may come in comes in, and each that may not is refused, on SSH, FTPS and
// HTTPS alike. What is expected is written down here, not asked of the product.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run } from '../support/process.ts';
import { curl, demoCertificate, type TlsLogin } from './support/curl.ts';
import { makeCertificateOfNobody, makePartner, makeSshKey, type Partner } from './support/partner.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { type SshLogin, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

type Mode = 'disabled' | 'optional' | 'required';
type Rule = 'password' | 'either' | 'credential' | 'both';

/** Design section 4: how the server treats client certificates, whether a password is required, what admits. */
const table: readonly {
  readonly clientCertificate: Mode;
  readonly password: 'optional' | 'required';
  readonly admits: Rule;
}[] = [
  { clientCertificate: 'disabled', password: 'optional', admits: 'password' },
  { clientCertificate: 'disabled', password: 'required', admits: 'password' },
  { clientCertificate: 'optional', password: 'optional', admits: 'either' },
  { clientCertificate: 'optional', password: 'required', admits: 'password' },
  { clientCertificate: 'required', password: 'optional', admits: 'credential' },
  { clientCertificate: 'required', password: 'required', admits: 'both' },
];

/** What a client brings: its own key or certificate, that of another account or one of nobody, and a password. */
type Shown = {
  readonly credential?: 'own' | 'foreign' | 'unknown';
  readonly password?: 'right' | 'wrong';
};
const clients: readonly Shown[] = [
  {},
  { password: 'right' },
  { password: 'wrong' },
  { credential: 'own' },
  { credential: 'own', password: 'right' },
  { credential: 'foreign' },
  { credential: 'foreign', password: 'right' },
  { credential: 'unknown' },
  { credential: 'unknown', password: 'right' },
];

function admitted(rule: Rule, { credential, password }: Shown): boolean {
  const own = credential === 'own';
  const right = password === 'right';
  switch (rule) {
    case 'password':
      return right;
    case 'either':
      return own || right;
    case 'credential':
      return own;
    case 'both':
      return own && right;
  }
}

/** First list of SSH methods: it depends on the server alone. */
const firstMethods: Record<Mode, string> = {
  disabled: 'password,keyboard-interactive',
  optional: 'publickey,password,keyboard-interactive',
  required: 'publickey',
};

let quickstart: Quickstart;
let demo: Demo;
let other: Partner;
let unknownKey: string;
let unknownCertificate: NonNullable<TlsLogin['certificate']>;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  other = await makePartner(quickstart, demo.zone.id, 'other');
  unknownKey = (await makeSshKey('unknown')).file;
  unknownCertificate = await makeCertificateOfNobody();
});
afterAll(() => quickstart.stop());

const passwords = { right: () => quickstart.contract.account.password, wrong: () => 'not the password' };

function sshLogin({ credential, password }: Shown): SshLogin {
  const keys = { own: quickstart.contract.files.sshKey, foreign: other.key, unknown: unknownKey };
  return {
    ...(credential ? { key: keys[credential] } : {}),
    ...(password ? { password: passwords[password]() } : {}),
  };
}

function tlsLogin({ credential, password }: Shown): TlsLogin {
  const certificates = {
    own: demoCertificate(quickstart.contract),
    foreign: other.certificate,
    unknown: unknownCertificate,
  };
  return {
    ...(credential ? { certificate: certificates[credential] } : {}),
    ...(password ? { password: passwords[password]() } : {}),
  };
}

/** Brings the servers and the login settings into one row of the table and waits for the node. */
async function enter(clientCertificate: Mode, password: 'optional' | 'required'): Promise<void> {
  const settings = await quickstart.api.loginSettings();
  // Every row tries wrong passwords from this one address.
  const lockout = { ...settings.lockout, allow: ['127.0.0.0/8'], failureDelayMs: 0 };
  await quickstart.api.changeLoginSettings({ password, lockout }, settings.version);
  for (const { id } of [demo.ssh, demo.ftp]) await changeServer(quickstart, id, { clientCertificate });
  const { changeSequence } = await changeServer(quickstart, demo.https.id, { clientCertificate });
  await untilLive(quickstart, demo.zone.id, changeSequence);
}

/** Which clients came in, each named by what it brought. */
async function outcomes<T>(attempt: (shown: Shown) => Promise<T>): Promise<[string, T][]> {
  const results: [string, T][] = [];
  for (const shown of clients) results.push([nameOf(shown), await attempt(shown)]);
  return results;
}
const nameOf = ({ credential, password }: Shown): string =>
  [credential && `${credential} credential`, password && `${password} password`]
    .filter((part) => part)
    .join(', ') || 'nothing';

const expected = <T>(judge: (shown: Shown) => T): [string, T][] =>
  clients.map((shown) => [nameOf(shown), judge(shown)]);

describe.each(table)(
  'client certificate $clientCertificate, password $password',
  ({ clientCertificate, password, admits }) => {
    beforeAll(() => enter(clientCertificate, password));

    /** Where a certificate is a must, a TLS client with none that anyone is known by hears no more than that. */
    const isSentAway = ({ credential }: Shown): boolean =>
      clientCertificate === 'required' && credential !== 'own' && credential !== 'foreign';

    test(`SSH admits by ${admits}`, async () => {
      const { contract } = quickstart;
      const came = await outcomes(
        async (shown) => (await sftp(contract, sshLogin(shown), 'pwd\n')).code === 0,
      );
      expect(came).toEqual(expected((shown) => admitted(admits, shown)));
    });

    test('SSH offers the methods of its mode, whoever asks', async () => {
      for (const user of ['demo', 'other', 'nobody-of-that-name']) {
        const refused = await sftp(quickstart.contract, { user, methods: 'none' }, 'pwd\n');
        expect(refused.stderr).toContain(`Permission denied (${firstMethods[clientCertificate]}).`);
      }
    });

    test('FTPS and HTTPS ask for a certificate exactly when one may matter', async () => {
      const { ftp, https } = quickstart.contract.servers;
      for (const [port, starttls] of [
        [ftp.port, ['-starttls', 'ftp']],
        [https.port, []],
      ] as const) {
        const client = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', quickstart.contract.files.ca];
        const seen = await run('openssl', [...client, ...starttls], { input: '' });
        expect(seen.stdout).toContain('Verify return code: 0 (ok)');
        const asked = 'Acceptable client certificate CA names';
        if (clientCertificate === 'disabled') expect(seen.stdout).not.toContain(asked);
        else expect(seen.stdout).toContain(asked);
      }
    });

    test(`FTPS admits by ${admits}`, async () => {
      const { contract } = quickstart;
      const came = await outcomes(async (shown) => {
        const done = await curl(contract, 'ftp', '', tlsLogin(shown), [
          '-o',
          '/dev/null',
          '-w',
          '%{response_code}',
        ]);
        return { cameIn: done.code === 0, reply: done.stdout };
      });
      const judge = (shown: Shown) => {
        if (admitted(admits, shown)) return { cameIn: true, reply: '226' };
        return isSentAway(shown) ? { cameIn: false, reply: '421' } : { cameIn: false, reply: '530' };
      };
      expect(came).toEqual(expected(judge));
    });

    test(`HTTPS admits by ${admits}`, async () => {
      const { contract } = quickstart;
      const came = await outcomes(async (shown) => {
        const more = ['-o', '/dev/null', '-w', '%{response_code}'];
        return (await curl(contract, 'https', '', tlsLogin(shown), more)).stdout;
      });
      const judge = (shown: Shown) => {
        // Over HTTPS a certificate names its account: another's alone logs in that other account.
        const namesOther = shown.credential === 'foreign' && shown.password === undefined;
        if (admitted(admits, namesOther ? { credential: 'own' } : shown)) return '200';
        return isSentAway(shown) ? '403' : '401';
      };
      expect(came).toEqual(expected(judge));
    });
  },
);

describe('a key that is not enough', () => {
  const withPartialSuccess = /Authenticated using "publickey" with partial success/;

  test.each(['optional', 'required'] as const)(
    'is a partial success where the certificate is %s and the password required',
    async (clientCertificate) => {
      await enter(clientCertificate, 'required');
      const { contract } = quickstart;
      const { password } = contract.account;
      const key = contract.files.sshKey;
      const alone = await sftp(contract, { key, options: ['-v'] }, 'pwd\n');
      expect(alone.code).not.toBe(0);
      expect(alone.stderr).toMatch(withPartialSuccess);
      expect(alone.stderr).toMatch(/Permission denied \(password,keyboard-interactive\)/);
      for (const method of ['password', 'keyboard-interactive']) {
        const methods = `publickey,${method}`;
        const both = await sftp(contract, { key, password, methods, options: ['-v'] }, 'pwd\n');
        expect(both).toMatchObject({ code: 0, stderr: expect.stringMatching(withPartialSuccess) });
        expect(both.stderr).toContain(`using "${method}"`);
      }
    },
  );
});

describe('an SSH server that never takes a password', () => {
  test('admits by its key alone', async () => {
    await enter('required', 'optional');
    const { changeSequence } = await changeServer(quickstart, demo.ssh.id, { clientPassword: 'disabled' });
    await untilLive(quickstart, demo.zone.id, changeSequence);
    const came = await outcomes(
      async (shown) => (await sftp(quickstart.contract, sshLogin(shown), 'pwd\n')).code === 0,
    );
    expect(came).toEqual(expected((shown) => admitted('credential', shown)));
  });

  test('cannot be one where a password is required, whichever came first', async () => {
    const { api } = quickstart;
    const refused = { fault: { code: 'policy-refused' } };
    const settings = await api.loginSettings();
    await expect(api.changeLoginSettings({ password: 'required' }, settings.version)).rejects.toMatchObject(
      refused,
    );
    await changeServer(quickstart, demo.ssh.id, { clientPassword: 'default' });
    await api.changeLoginSettings({ password: 'required' }, settings.version);
    await expect(changeServer(quickstart, demo.ssh.id, { clientPassword: 'disabled' })).rejects.toMatchObject(
      refused,
    );
  });
});
