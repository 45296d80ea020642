import { toBase64, utf8 } from '@sallyport/bytes';
import { type Result, unwrap } from '@sallyport/faults';
import { defaultLoginSettings, everyone, type LoginSettings, type UserClass } from '@sallyport/model';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { makeLocal } from '../fixture/local-certificate.ts';
import {
  contentWith,
  makeAccount,
  makeRegistered,
  makeServer,
  makeZone,
  policyDocuments,
  randomBytes,
} from '../fixture/world.ts';
import { compile, type LocalCertificate, type ZoneContent } from './compile.ts';
import { accountIndexKey, credentialIndexKey } from './index-key.ts';
import type { AccountRecord, Registration } from './payload.ts';
import { type SectionCipher, sectionCipher } from './section-cipher.ts';

let cipher: SectionCipher;
let locals: LocalCertificate[];
beforeAll(async () => {
  cipher = await sectionCipher('zon-edge', 1, randomBytes(32));
  locals = await Promise.all(['crt-a', 'crt-b', 'crt-c'].map(makeLocal));
});

const compiled = (changes: Partial<ZoneContent>) => unwrap(compile(contentWith(changes), cipher));
const refusal = (result: Result<unknown>) =>
  result.ok ? 'ok' : `${result.fault.code}: ${result.fault.detail}`;

describe('private keys', () => {
  const node = (overrides: ZoneContent['nodes'][number]['overrides'] = []) => ({
    id: 'nod-1',
    sealingKey: randomBytes(32),
    overrides,
  });
  const keysFor = (changes: Partial<ZoneContent>) =>
    compiled({ locals, ...changes }).nodes.map(({ content }) =>
      content.privateKeys.map(({ certificate }) => certificate).sort(),
    );
  const ssh = () => makeServer('ssh', 'srv-ssh', ['crt-a', 'crt-b']);
  const ftp = () => makeServer('ftp', 'srv-ftp', ['crt-b', 'crt-c']);

  it('are those of all servers, each once', () => {
    expect(keysFor({ servers: [ssh(), ftp()], nodes: [node()] })).toEqual([['crt-a', 'crt-b', 'crt-c']]);
  });

  it('are not those of a server that the node does not run', () => {
    const nodes = [node([{ server: 'srv-ssh', run: false }]), node([{ server: 'srv-ssh', run: true }])];
    expect(keysFor({ servers: [ssh(), ftp()], nodes })).toEqual([
      ['crt-b', 'crt-c'],
      ['crt-a', 'crt-b', 'crt-c'],
    ]);
  });

  it('are not those of a suspended server; a draining one keeps its own', () => {
    const suspended = makeServer('ssh', 'srv-ssh', ['crt-a'], { state: 'suspended' });
    const draining = makeServer('ftp', 'srv-ftp', ['crt-c'], { state: 'draining' });
    expect(keysFor({ servers: [suspended, draining], nodes: [node()] })).toEqual([['crt-c']]);
  });

  it('are not those of certificates that nobody is assigned', () => {
    expect(keysFor({ servers: [makeServer('ssh', 'srv-ssh', ['crt-a'])], nodes: [node()] })).toEqual([
      ['crt-a'],
    ]);
    expect(keysFor({ servers: [], nodes: [node()] })).toEqual([[]]);
  });

  it('are left out where they are not held, and the server stays for its node to report', () => {
    const { privateKey: _privateKey, ...withoutKey } = locals[0] as LocalCertificate;
    const content = { servers: [makeServer('ssh', 'srv-ssh', ['crt-a', 'crt-gone'])], nodes: [node()] };
    expect(keysFor({ ...content, locals: [withoutKey] })).toEqual([[]]);
    const { servers } = compiled({ ...content, locals: [withoutKey] });
    expect(servers.servers[0]?.served.map(({ id }) => id)).toEqual(['crt-a']);
  });

  it('stand in envelopes alone', () => {
    const content = compiled({ locals, servers: [ssh()], nodes: [node()] });
    const open = JSON.stringify({ ...content, nodes: [], accounts: [...content.accounts] });
    for (const { privateKey } of locals) expect(open).not.toContain(toBase64(privateKey as Uint8Array));
    expect(content.servers.servers[0]?.served[0]).not.toHaveProperty('privateKey');
  });
});

describe('accounts', () => {
  const record = (changes: Partial<ZoneContent>, name: string) =>
    compiled(changes).accounts.get(accountIndexKey(cipher, name)) as AccountRecord | undefined;

  it('are filed under the name as the zone compares it', () => {
    const accounts = [makeAccount('acc-1', 'Alice')];
    expect(record({ accounts }, 'alice')?.name).toBe('Alice');
    expect(record({ accounts }, 'Alice')).toBeUndefined();
    const exact = { ...defaultLoginSettings, nameCase: 'exact' as const };
    const zone = { ...makeZone(), overrides: { loginSettings: exact } };
    expect(record({ accounts, zone }, 'Alice')?.name).toBe('Alice');
    expect(record({ accounts, zone }, 'alice')).toBeUndefined();
  });

  it('with one name in this zone are refused, not one of them dropped', () => {
    const accounts = [makeAccount('acc-1', 'Alice'), makeAccount('acc-2', 'alice')];
    expect(refusal(compile(contentWith({ accounts }), cipher))).toMatch(/^policy-refused: .*Alice and alice/);
    const exact = { ...defaultLoginSettings, nameCase: 'exact' as const };
    const zone = { ...makeZone(), overrides: { loginSettings: exact } };
    expect(compiled({ accounts, zone }).accounts.size).toBe(2);
  });

  it('hold their own credentials', () => {
    const found = record(
      {
        accounts: [makeAccount('acc-1'), makeAccount('acc-2')],
        registered: [makeRegistered('acc-1', 'crt-1'), makeRegistered('acc-2', 'crt-2')],
      },
      'acc-1',
    );
    expect(found?.credentials.map(({ certificate }) => certificate)).toEqual(['crt-1']);
    expect(Object.keys(found?.credentials[0] ?? {}).sort()).toEqual(
      ['anchor', 'certificate', 'form', 'match', 'sha256', 'spkiSha256'].sort(),
    );
  });

  it('of other zones leave no trace, though their certificates were given', () => {
    const content = compiled({
      accounts: [makeAccount('acc-1')],
      registered: [makeRegistered('acc-1', 'crt-1'), makeRegistered('acc-elsewhere', 'crt-2')],
    });
    expect(content.accounts.size).toBe(1);
    expect(content.credentials.size).toBe(1);
    expect(JSON.stringify([...content.accounts, ...content.credentials])).not.toContain('elsewhere');
  });
});

describe('credentials', () => {
  it('are filed by what they are matched by, those of several accounts together', () => {
    const { credentials } = compiled({
      accounts: [makeAccount('acc-1', 'Alice'), makeAccount('acc-2', 'Bob')],
      registered: [
        makeRegistered('acc-1', 'crt-1', { match: 'public-key' }),
        makeRegistered('acc-2', 'crt-1', { match: 'public-key', validUntil: '2026-12-01T00:00:00Z' }),
        makeRegistered('acc-2', 'crt-1'),
      ],
    });
    expect(credentials.size).toBe(2);
    const { spkiSha256, sha256 } = makeRegistered('acc-1', 'crt-1');
    const byKey = credentials.get(credentialIndexKey(cipher, { by: 'public-key', spkiSha256 }));
    expect(byKey).toEqual([
      expect.objectContaining({ account: 'acc-1', accountName: 'Alice' }),
      expect.objectContaining({
        account: 'acc-2',
        accountName: 'Bob',
        validUntil: '2026-12-01T00:00:00Z',
      }),
    ]);
    const byDigest = credentials.get(credentialIndexKey(cipher, { by: 'certificate', sha256 }));
    expect((byDigest as Registration[]).map(({ account }) => account)).toEqual(['acc-2']);
  });

  it('have keys that say nothing without the zone’s key', async () => {
    const key = { by: 'certificate', sha256: 'ab'.repeat(32) } as const;
    const elsewhere = await sectionCipher('zon-edge', 1, randomBytes(32));
    expect(credentialIndexKey(cipher, key)).toMatch(/^[0-9a-f]{64}$/);
    expect(credentialIndexKey(cipher, key)).not.toBe(credentialIndexKey(elsewhere, key));
    // The same digest of a certificate and of a key are two credentials.
    expect(credentialIndexKey(cipher, key)).not.toBe(
      credentialIndexKey(cipher, { by: 'public-key', spkiSha256: key.sha256 }),
    );
    const named = (issuer: string, subject: string) =>
      credentialIndexKey(cipher, { by: 'issuer+subject', issuer: utf8(issuer), subject: utf8(subject) });
    expect(named('ab', 'c')).not.toBe(named('a', 'bc'));
  });
});

describe('rules that admit nobody', () => {
  const strict: UserClass = { ...everyone, id: 'strict', name: 'strict', group: 'partners' };
  const answer = (
    server: Record<string, unknown>,
    settings: Partial<LoginSettings> = {},
    userClasses: UserClass[] = [strict, everyone],
    protocol: 'ssh' | 'ftp' = 'ssh',
  ) => {
    const loginSettings = { ...defaultLoginSettings, ...settings };
    const content = contentWith({
      servers: [makeServer(protocol, 'srv-1', [], server)],
      policy: { ...policyDocuments, loginSettings, userClasses },
    });
    const result = compile(content, cipher);
    return result.ok ? 'ok' : result.fault.code;
  };
  const noPassword = { clientCertificate: 'required', clientPassword: 'disabled' };
  const forStrict = { password: 'required-for-classes', passwordClasses: ['strict'] } as const;

  test.each([
    ['a required password', noPassword, { password: 'required' }, 'policy-refused'],
    ['a password required of an enabled class', noPassword, { ...forStrict }, 'policy-refused'],
    ['an optional password', noPassword, {}, 'ok'],
    [
      'a password required of a class that is not there',
      noPassword,
      { password: 'required-for-classes', passwordClasses: ['gone'] },
      'ok',
    ],
    ['clientPassword default', { clientCertificate: 'required' }, { password: 'required' }, 'ok'],
    [
      'an optional certificate, where clientPassword means nothing',
      { clientCertificate: 'optional', clientPassword: 'disabled' },
      { password: 'required' },
      'ok',
    ],
    [
      'an optional certificate that a class raises to required',
      { clientCertificate: 'optional', clientPassword: 'disabled' },
      { password: 'required', certificateClasses: ['strict'] },
      'policy-refused',
    ],
    [
      'a class that requires what the server does not request',
      { clientCertificate: 'disabled' },
      { certificateClasses: ['strict'] },
      'ok',
    ],
  ] as const)('%s', (_what, server, settings, expected) => {
    const { passwordClasses, certificateClasses, ...rest } = settings as Partial<LoginSettings>;
    expect(
      answer(server, {
        ...rest,
        passwordClasses: [...(passwordClasses ?? [])],
        certificateClasses: [...(certificateClasses ?? [])],
      }),
    ).toBe(expected);
  });

  it('of a disabled class harm nobody', () => {
    expect(
      answer(noPassword, { ...forStrict, passwordClasses: ['strict'] }, [
        { ...strict, enabled: false },
        everyone,
      ]),
    ).toBe('ok');
  });

  it('are a matter of SSH: elsewhere the password has no switch', () => {
    expect(answer({ clientCertificate: 'required' }, { password: 'required' }, [everyone], 'ftp')).toBe('ok');
  });

  it('name the server and the class', () => {
    const content = contentWith({
      servers: [makeServer('ssh', 'srv-1', [], noPassword)],
      policy: {
        ...policyDocuments,
        userClasses: [strict, everyone],
        loginSettings: { ...defaultLoginSettings, ...forStrict, passwordClasses: ['strict'] },
      },
    });
    expect(refusal(compile(content, cipher))).toBe(
      'policy-refused: server srv-1: a required client certificate, clientPassword disabled and a required password admit nobody of class strict',
    );
  });
});

it('is pure: the same content compiles to the same sections', () => {
  const content = contentWith({
    servers: [makeServer('ssh', 'srv-ssh', ['crt-a'])],
    locals,
    accounts: [makeAccount('acc-1')],
    registered: [makeRegistered('acc-1', 'crt-1')],
    nodes: [{ id: 'nod-1', sealingKey: new Uint8Array(32), overrides: [] }],
  });
  const before = structuredClone(content);
  expect(unwrap(compile(content, cipher))).toEqual(unwrap(compile(structuredClone(content), cipher)));
  expect(content).toEqual(before);
});
