import { ok, refuse } from '@sallyport/faults';
import type { FileSystem, VirtualPath } from '@sallyport/files';
import { expect, test } from 'vitest';
import { image, loggedIn, run } from '../fixture/run.ts';
import { operate } from './file-commands.ts';

const path = '/a b' as VirtualPath;
const time = Date.UTC(2026, 1, 3, 4, 5, 6);

test.each([
  ['MFMT 20260203040506 a b', { kind: 'set-modified', path, modifiedAt: time }],
  ['SITE UTIME 20260203040506 a b', { kind: 'set-modified', path, modifiedAt: time }],
  [
    'SITE UTIME a b 20200101000000 20260203040506 20200101000000 UTC',
    { kind: 'set-modified', path, modifiedAt: time },
  ],
  ['site chmod 640 a b', { kind: 'set-mode', path, mode: 0o640 }],
  ['AVBL', { kind: 'space', path: '/' }],
  ['STAT -l a b', { kind: 'status', path }],
])('%s', (line, command) => {
  expect(run(loggedIn, line).last).toEqual({ kind: 'operate', command });
});

test.each([
  ['MFMT a', 501],
  ['MFMT 20269903040506 a', 501],
  ['SITE', 501],
  ['SITE CHMOD a', 501],
  ['SITE CHMOD 640', 501],
  ['SITE CHMOD 999 a', 501],
  ['SITE CHMOD 4755 a', 504],
  ['SITE UTIME soon a', 501],
  ['SITE EXEC ls', 504],
  ['SITE HELP', 214],
  ['HELP SITE', 214],
])('%s is answered with %i', (line, code) => {
  expect(run(loggedIn, line).codes).toEqual([code]);
});

test('what the file commands say', () => {
  const said = (event: Parameters<typeof run>[1]) => run(loggedIn, event).last;
  expect(
    said({
      kind: 'operated',
      command: { kind: 'set-modified', path, modifiedAt: time },
      result: ok(undefined),
    }),
  ).toMatchObject({ reply: { code: 213, lines: ['Modify=20260203040506; /a b'] } });
  expect(
    said({ kind: 'operated', command: { kind: 'set-mode', path, mode: 0o600 }, result: ok(undefined) }),
  ).toMatchObject({ reply: { code: 200 } });
  expect(said({ kind: 'operated', command: { kind: 'space', path }, result: ok(4096) })).toMatchObject({
    reply: { code: 213, lines: ['4096'] },
  });
  expect(said({ kind: 'operated', command: { kind: 'status', path }, result: ok(['x']) })).toMatchObject({
    reply: { code: 213, lines: ['Status follows.', 'x', 'End.'] },
  });
});

test('a listing in a reply has an end', async () => {
  let closed = false;
  const files = {
    list: async () =>
      ok(
        (async function* () {
          try {
            for (let batch = 0; batch < 100; batch++) {
              yield Array.from({ length: 100 }, (_, index) => ({
                name: `f-${batch}-${index}`,
                attributes: {
                  kind: 'file',
                  size: 1,
                  mode: 0o600,
                  uid: 0,
                  gid: 0,
                  modifiedAt: 0,
                  accessedAt: 0,
                },
              }));
            }
          } finally {
            closed = true;
          }
        })(),
      ),
  } as Partial<FileSystem> as FileSystem;
  const result = await operate(files, { kind: 'status', path }, 0);
  expect(result).toMatchObject({ ok: true, value: { length: 1_001 } });
  expect(closed).toBe(true);
});

test('digests', () => {
  expect(run(loggedIn, 'HASH a b').last).toEqual({
    kind: 'hash',
    request: { asked: 'HASH', algorithm: 'SHA-256', path, from: 0 },
  });
  const chosen = run(loggedIn, 'OPTS HASH', 'OPTS HASH SHA-512', 'OPTS HASH MD5');
  expect(chosen.codes).toEqual([200, 200, 504]);
  expect(run(chosen.state, 'HASH a b').last).toMatchObject({ request: { algorithm: 'SHA-512' } });
  expect(run(chosen.state, 'FEAT').last).toMatchObject({
    reply: { lines: expect.arrayContaining(['HASH SHA-256;SHA-512*']) },
  });
  for (const [argument, part] of [
    ['a b', { from: 0 }],
    ['"a b"', { from: 0 }],
    ['"a b" 5', { from: 5 }],
    ['"a b" 5 9', { from: 5, to: 9 }],
  ] as const) {
    expect(run(loggedIn, `XSHA256 ${argument}`).last).toEqual({
      kind: 'hash',
      request: { asked: 'XSHA256', algorithm: 'SHA-256', path, ...part },
    });
  }
  const hashed = { kind: 'hashed', result: ok({ hex: 'ab', to: 9 }) } as const;
  const request = { algorithm: 'SHA-256', path, from: 0 } as const;
  expect(run(loggedIn, { ...hashed, request: { asked: 'HASH', ...request } }).last).toMatchObject({
    reply: { code: 213, lines: ['SHA-256 0-9 ab /a b'] },
  });
  expect(run(loggedIn, { ...hashed, request: { asked: 'XSHA256', ...request } }).last).toMatchObject({
    reply: { code: 250, lines: ['AB'] },
  });
  const missing = { kind: 'hashed', result: refuse('file-not-found') } as const;
  expect(run(loggedIn, { ...missing, request: { asked: 'HASH', ...request } }).codes).toEqual([550]);
});

test('uploads that go on, and new ones', () => {
  const stored = (...lines: string[]) => run(image, ...lines).last;
  const placing = (line: string) => ({ kind: 'transfer', transfer: { kind: 'store', path: line } });
  expect(stored('STOR a')).toMatchObject({ ...placing('/a'), transfer: { placing: { kind: 'replace' } } });
  expect(stored('APPE a')).toMatchObject({ transfer: { placing: { kind: 'append' } } });
  expect(stored('STOU')).toMatchObject({ transfer: { path: '/upload', placing: { kind: 'unique' } } });
  expect(stored('STOU a')).toMatchObject({ transfer: { path: '/a', placing: { kind: 'unique' } } });
  expect(stored('REST 7', 'STOR a')).toMatchObject({ transfer: { placing: { kind: 'restart', offset: 7 } } });
  expect(run(image, 'REST 7', 'APPE a', 'REST 7', 'STOU a').codes).toEqual([350, 503, 350, 503]);
});

test('in ASCII there is no offset', () => {
  expect(run(image, 'TYPE A', 'REST 7', 'REST 0').codes).toEqual([200, 504, 350]);
  expect(run(image, 'REST 7', 'TYPE A', 'STOR a').codes).toEqual([350, 200, 504]);
  expect(run(image, 'REST 7', 'TYPE A', 'RETR a').codes).toEqual([350, 200, 504]);
});
