import { describe, expect, test } from 'vitest';
import { clear, loggedIn, rules, run, secured, told } from '../fixture/run.ts';
import { initialState } from './control-state.ts';

describe('a second factor', () => {
  const asked = run(
    secured,
    'USER anna',
    told('name', 'continue'),
    'PASS p',
    told('password', 'second-factor'),
  );

  test('is asked for with 332 and brought by ACCT', () => {
    expect(asked.codes).toEqual([331, 332]);
    const brought = run(asked.state, 'ACCT 123456');
    expect(brought.last).toEqual({ kind: 'second-factor', user: 'anna', code: '123456' });
    expect(run(brought.state, told('second-factor', 'admitted')).codes).toEqual([230]);
  });

  test('that is wrong is a failed login', () => {
    const refused = run(asked.state, {
      kind: 'login',
      asked: 'second-factor',
      outcome: 'refused',
      fault: 'login-refused',
    });
    expect(refused.codes).toEqual([530]);
    expect(refused.state).toMatchObject({ login: { kind: 'none' }, failedLogins: 1 });
    expect(run(asked.state, told('second-factor', 'second-factor')).codes).toEqual([530]);
  });

  test('ACCT has a place of its own', () => {
    expect(run(secured, 'ACCT 1', 'USER a', told('name', 'continue'), 'ACCT 1').codes).toEqual([
      503, 331, 503,
    ]);
    expect(run(asked.state, 'ACCT', 'PASS x', 'LIST').codes).toEqual([501, 332, 530]);
    expect(run(loggedIn, 'ACCT 1').codes).toEqual([202]);
  });

  test('alone is asked for directly after USER, where a certificate is all the rest', () => {
    expect(run(secured, 'USER anna', told('name', 'second-factor')).codes).toEqual([332]);
  });
});

describe('HOST', () => {
  const named = initialState(rules, 'encrypted', 'ftp.example.org');

  test.each([
    [clear, 'ftp.example.org', 220],
    [clear, '[2001:db8::1]', 220],
    [clear, 'no host', 501],
    [named, 'FTP.example.org', 220],
    [named, 'other.example.org', 504],
    [secured, 'ftp.example.org', 504],
  ] as const)('%#: %s is %s', (state, name, code) => {
    expect(run(state, `HOST ${name}`).codes).toEqual([code]);
  });

  test('comes before USER', () => {
    expect(run(named, 'USER a', told('name', 'continue'), 'HOST ftp.example.org').codes).toEqual([331, 503]);
  });
});

describe('REIN', () => {
  test('makes a clear connection a new one, whose failed logins still count', () => {
    const state = { ...clear, login: { kind: 'admitted' as const }, failedLogins: 2, type: 'image' as const };
    const again = run(state, 'REIN');
    expect(again.kinds).toEqual(['close-data', 'log-out', 'reply']);
    expect(again.codes).toEqual([220]);
    expect(again.state).toEqual({ ...clear, failedLogins: 2 });
  });

  test('does not lead out of TLS', () => {
    expect(run(loggedIn, 'REIN', 'CCC').codes).toEqual([502, 534]);
  });
});

test('whoever goes through names without an end is let go of', () => {
  const guesses = Array.from({ length: 20 }, (_, at) => [`USER u${at}`, told('name', 'continue')]).flat();
  const { codes, last } = run(secured, ...guesses, 'USER u20');
  expect(codes).toEqual([...Array(20).fill(331), 421]);
  expect(last).toEqual({ kind: 'close' });
  expect(run(clear, 'USER a', told('name', 'continue'), 'REIN').state.names).toBe(1);
  expect(run(secured, 'USER a', told('name', 'admitted')).state.names).toBe(0);
});

test('whoever talks no FTP is let go of', () => {
  const lines = Array.from({ length: 10 }, (_, index) => `Header-${index}: x`);
  const { codes, last } = run(secured, ...lines);
  expect(codes).toEqual([...Array(9).fill(500), 421]);
  expect(last).toEqual({ kind: 'close' });
  expect(run(loggedIn, ...lines).codes).toEqual(Array(10).fill(500));
});
