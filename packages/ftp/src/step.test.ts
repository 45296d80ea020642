import { ok, refuse } from '@sallyport/faults';
import { rootPath, type VirtualPath } from '@sallyport/files';
import { describe, expect, test } from 'vitest';
import { clear, loggedIn, passive, rules, run, secured, told } from '../fixture/run.ts';
import { type ControlEvent, type ControlState, initialState } from './control-state.ts';

const refused = (
  asked: 'name' | 'password',
  fault: 'login-refused' | 'tls-required' | 'service-refusing' | 'certificate-required',
): ControlEvent => ({ kind: 'login', asked, outcome: 'refused', fault });

describe('login', () => {
  test('by password', () => {
    const { codes, state } = run(
      secured,
      'USER anna',
      told('name', 'continue'),
      'PASS secret',
      told('password', 'admitted'),
    );
    expect(codes).toEqual([331, 230]);
    expect(state.login.kind).toBe('admitted');
  });

  test('by certificate alone: 232, and a PASS that follows is superfluous', () => {
    const { codes } = run(secured, 'USER anna', told('name', 'admitted'), 'PASS x');
    expect(codes).toEqual([232, 202]);
  });

  test.each(['login-refused', 'service-refusing', 'certificate-required'] as const)(
    'after USER nothing shows of %s',
    (fault) => {
      expect(run(secured, 'USER anna', refused('name', fault)).codes).toEqual([331]);
    },
  );

  test('in clear, USER of a login that needs TLS is refused and forgotten', () => {
    const { codes, last } = run(clear, 'USER anna', refused('name', 'tls-required'), 'PASS secret');
    expect(codes).toEqual([530, 503]);
    expect(last?.kind).toBe('reply');
    expect(run(clear, 'USER anna', refused('name', 'tls-required')).last).toMatchObject({
      reply: { lines: [expect.stringContaining('TLS')] },
    });
  });

  test('a listener without plain FTP refuses USER in clear without asking', () => {
    const strict = initialState({ ...rules, clearLogin: 'refused' }, 'clear');
    expect(run(strict, 'USER anna').kinds).toEqual(['reply']);
    expect(run(strict, 'USER anna').codes).toEqual([530]);
  });

  test.each(['login-refused', 'certificate-required'] as const)('a password refused by %s', (fault) => {
    const { codes, state, effects } = run(
      secured,
      'USER anna',
      told('name', 'continue'),
      'PASS wrong',
      refused('password', fault),
    );
    expect(codes).toEqual([331, 530]);
    expect(effects.at(-1)).toMatchObject({ reply: { lines: ['Login incorrect.'] } });
    expect(state.login.kind).toBe('none');
  });

  test('a password that does not suffice is a failed login', () => {
    expect(
      run(secured, 'USER a', told('name', 'continue'), 'PASS p', told('password', 'continue')).codes,
    ).toEqual([331, 530]);
  });

  test('failed logins are counted over user names, the last closes', () => {
    const attempt = (user: string) => [
      `USER ${user}`,
      told('name', 'continue'),
      'PASS wrong',
      refused('password', 'login-refused'),
    ];
    const { codes, last } = run(secured, ...attempt('a'), ...attempt('b'), ...attempt('c'));
    expect(codes).toEqual([331, 530, 331, 530, 331, 421]);
    expect(last).toEqual({ kind: 'close' });
  });

  test('a service that refuses closes after the password', () => {
    const { codes, last } = run(
      secured,
      'USER a',
      told('name', 'continue'),
      'PASS p',
      refused('password', 'service-refusing'),
    );
    expect(codes).toEqual([331, 421]);
    expect(last).toEqual({ kind: 'close' });
  });

  test('PASS without USER, USER after the login', () => {
    expect(run(secured, 'PASS x').codes).toEqual([503]);
    expect(run(loggedIn, 'USER other').codes).toEqual([530]);
  });

  test.each(['PWD', 'LIST', 'RETR a', 'PASV', 'SIZE a', 'RNTO b', 'ABOR', 'STAT', 'TYPE I'])(
    '%s before the login is refused',
    (line) => {
      const { codes, kinds } = run(secured, line);
      expect(codes).toEqual([530]);
      expect(kinds).toEqual(['reply']);
    },
  );
});

describe('TLS', () => {
  test('AUTH TLS secures, and nothing said in clear counts after it', () => {
    const named = run(clear, 'USER anna', told('name', 'continue'), 'AUTH TLS');
    expect(named.codes).toEqual([331, 234]);
    expect(named.last).toEqual({ kind: 'secure' });
    const after = run(named.state, { kind: 'secured' }, 'PASS secret');
    expect(after.codes).toEqual([503]);
    expect(after.state).toMatchObject({ channel: 'encrypted', login: { kind: 'none' }, protection: 'clear' });
  });

  test.each([
    ['AUTH SSL', 504],
    ['AUTH TLS-P', 504],
    ['AUTH KERBEROS_V4', 504],
    ['PBSZ 0', 503],
    ['PROT P', 503],
    ['CCC', 533],
  ])('%s in clear', (line, code) => {
    expect(run(clear, line).codes).toEqual([code]);
  });

  test('AUTH after a login in clear: the session of that login stays the only one', () => {
    const { state, codes } = run({ ...clear, login: { kind: 'admitted' } }, 'AUTH TLS');
    expect(codes).toEqual([503]);
    expect(state).toMatchObject({ channel: 'clear', login: { kind: 'admitted' } });
  });

  test('AUTH twice, and on a listener without TLS', () => {
    expect(run(secured, 'AUTH TLS').codes).toEqual([503]);
    expect(run(initialState({ ...rules, authTls: 'unavailable' }, 'clear'), 'AUTH TLS').codes).toEqual([502]);
  });

  test('PROT needs PBSZ; clear data is refused', () => {
    const { state } = run(clear, 'AUTH TLS', { kind: 'secured' });
    expect(run(state, 'PROT P', 'PBSZ 0', 'PROT C', 'PROT S', 'PROT P').codes).toEqual([
      503, 200, 534, 536, 200,
    ]);
  });

  test('no transfer without PROT P on an encrypted connection', () => {
    const unprotected: ControlState = { ...passive, protection: 'clear' };
    expect(run(unprotected, 'RETR a').codes).toEqual([521]);
    expect(run(unprotected, 'LIST').kinds).toEqual(['reply']);
  });

  test('implicit TLS begins protected', () => {
    expect(secured.protection).toBe('private');
  });
});

describe('transfers', () => {
  test('need a data port, which one transfer spends', () => {
    expect(run(loggedIn, 'RETR a').codes).toEqual([425]);
    const { effects, state } = run(passive, 'TYPE I', 'RETR a');
    expect(effects.at(-1)).toEqual({
      kind: 'transfer',
      transfer: { kind: 'retrieve', path: '/a', offset: 0, type: 'image', protection: 'private' },
    });
    expect(state.data).toBe('none');
  });

  test('REST counts for the next transfer alone', () => {
    const download = run(passive, 'TYPE I', 'REST 10', 'RETR a');
    expect(download.last).toMatchObject({ transfer: { offset: 10 } });
    expect(download.state.restart).toBe(0);
    expect(run(passive, 'REST -1').codes).toEqual([501]);
  });

  test('LIST and NLST drop the options of ls, MLSD does not', () => {
    expect(run(passive, 'LIST -la').last).toMatchObject({ transfer: { format: 'LIST', path: '/' } });
    expect(run(passive, 'NLST -1 in').last).toMatchObject({ transfer: { format: 'NLST', path: '/in' } });
    expect(run(passive, 'MLSD -x').last).toMatchObject({ transfer: { format: 'MLSD', path: '/-x' } });
  });

  test('a path that cannot be is refused before the data connection', () => {
    const { codes, kinds } = run(passive, 'RETR a\0b');
    expect(codes).toEqual([553]);
    expect(kinds).toEqual(['reply']);
  });

  test('PASV and EPSV answers', () => {
    const asked = run(loggedIn, 'PASV');
    expect(asked.last).toEqual({ kind: 'listen', form: 'PASV', family: 4 });
    const endpoint = { address: '192.0.2.7', port: 50_001 } as const;
    expect(
      run(asked.state, { kind: 'listening', endpoint: { form: 'PASV', ...endpoint } }).last,
    ).toMatchObject({
      reply: { code: 227, lines: ['Entering Passive Mode (192,0,2,7,195,81)'] },
    });
    expect(
      run(asked.state, { kind: 'listening', endpoint: { form: 'EPSV', ...endpoint } }).last,
    ).toMatchObject({
      reply: { code: 229, lines: ['Entering Extended Passive Mode (|||50001|)'] },
    });
    expect(run(asked.state, { kind: 'not-listening', why: 'no-port' }).codes).toEqual([425]);
    expect(run(loggedIn, 'EPSV 2').last).toMatchObject({ family: 6 });
    expect(run(loggedIn, 'EPSV 3').codes).toEqual([522]);
    expect(run(loggedIn, 'EPSV ALL', 'PASV').codes).toEqual([200, 503]);
  });

  test('ABOR closes the data port', () => {
    const { kinds, codes, state } = run(passive, 'ABOR');
    expect(kinds).toEqual(['close-data', 'reply']);
    expect(codes).toEqual([226]);
    expect(state.data).toBe('none');
  });
});

describe('files', () => {
  const attributes = {
    kind: 'file',
    size: 12,
    mode: 0o644,
    uid: 0,
    gid: 0,
    modifiedAt: 0,
    accessedAt: 0,
  } as const;

  test('CWD follows only into what is there', () => {
    const asked = run(loggedIn, 'CWD in/../out');
    expect(asked.last).toEqual({ kind: 'operate', command: { kind: 'enter', path: '/out' } });
    const command = { kind: 'enter', path: '/out' as VirtualPath } as const;
    expect(run(asked.state, { kind: 'operated', command, result: refuse('file-not-found') })).toMatchObject({
      codes: [550],
      state: { directory: '/' },
    });
    const entered = run(asked.state, {
      kind: 'operated',
      command,
      result: ok({ ...attributes, kind: 'directory' as const }),
    });
    expect(entered.codes).toEqual([250]);
    expect(run(entered.state, 'PWD').last).toMatchObject({
      reply: { code: 257, lines: [expect.stringContaining('"/out"')] },
    });
    expect(run(entered.state, 'CDUP').last).toMatchObject({ command: { kind: 'enter', path: '/' } });
  });

  test('SIZE and MDTM answer for files, SIZE only in image type', () => {
    expect(run(loggedIn, 'SIZE a').codes).toEqual([550]);
    const image: ControlState = { ...loggedIn, type: 'image' };
    expect(run(image, 'SIZE a').last).toMatchObject({ kind: 'operate' });
    const path = '/a' as VirtualPath;
    expect(
      run(image, { kind: 'operated', command: { kind: 'size', path }, result: ok(attributes) }).last,
    ).toMatchObject({ reply: { code: 213, lines: ['12'] } });
    expect(
      run(image, { kind: 'operated', command: { kind: 'modified', path }, result: ok(attributes) }).last,
    ).toMatchObject({ reply: { code: 213, lines: ['19700101000000'] } });
  });

  test('a rename is RNFR and, directly after it, RNTO', () => {
    const path = '/a' as VirtualPath;
    const asked = run(loggedIn, 'RNFR a');
    const from = run(asked.state, {
      kind: 'operated',
      command: { kind: 'rename-from', path },
      result: ok(attributes),
    });
    expect(from.codes).toEqual([350]);
    expect(run(from.state, 'RNTO b').last).toEqual({
      kind: 'operate',
      command: { kind: 'rename', from: '/a', to: '/b' },
    });
    expect(run(from.state, 'NOOP', 'RNTO b').codes).toEqual([200, 503]);
    expect(run(loggedIn, 'RNTO b').codes).toEqual([503]);
  });

  test('MLST writes its facts, OPTS MLST chooses them', () => {
    const chosen = run(loggedIn, 'OPTS MLST Size;type;nonsense;');
    expect(chosen.last).toMatchObject({ reply: { code: 200, lines: ['MLST OPTS type;size;'] } });
    const command = { kind: 'facts', path: '/a' as VirtualPath, facts: ['type', 'size'] } as const;
    expect(run(chosen.state, 'MLST a').last).toEqual({ kind: 'operate', command });
    const result = ok(['type=file;size=12; /a']);
    expect(run(chosen.state, { kind: 'operated', command, result }).last).toMatchObject({
      reply: { code: 250, lines: ['Facts follow.', 'type=file;size=12; /a', 'End.'] },
    });
    expect(run(chosen.state, 'FEAT').last).toMatchObject({
      reply: {
        lines: expect.arrayContaining([
          'MLST type*;size*;modify;perm;unique;UNIX.mode;',
          'AUTH TLS',
          'REST STREAM',
        ]),
      },
    });
  });
});

test('what is not understood', () => {
  expect(
    run(loggedIn, 'XYZZY', '', 'USER', 'SITE EXEC ls', 'SMNT x', 'MODE B', 'STRU R', 'TYPE E').codes,
  ).toEqual([500, 500, 501, 504, 502, 504, 504, 504]);
  expect(
    run(loggedIn, { kind: 'bad-line', why: 'too-long' }, { kind: 'bad-line', why: 'malformed' }).codes,
  ).toEqual([500, 501]);
});

test('a new connection is in the root, in ASCII, and nobody', () => {
  expect(clear).toMatchObject({ directory: rootPath, type: 'ascii', login: { kind: 'none' } });
});
