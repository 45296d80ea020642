import { expect, test } from 'vitest';
import { alias, cidr, host, id, label, port, sha256, time } from './scalars.ts';
import { scope } from './token.ts';

test.each([
  [
    'alias',
    alias,
    ['a', 'a-1', '-', 'x'.repeat(80)],
    ['', 'A', 'a_b', 'a.b', 'a b', 'ä', 'x'.repeat(81), 'a\n'],
  ],
  ['id', id, ['a', 'A_b-1', 'x'.repeat(64)], ['', 'a.b', 'a/b', '*', 'x'.repeat(65), 'a\n', '../a']],
  [
    'host',
    host,
    ['0.0.0.0', '::', '::1', 'gateway.example.com', 'localhost'],
    ['', 'a b', 'a/b', 'http://a', 'a\n', 'x'.repeat(256)],
  ],
  ['port', port, [1, 22, 65_535], [0, -1, 65_536, 22.5, '22', Number.NaN]],
  [
    'cidr',
    cidr,
    ['10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32', '::/0'],
    ['10.0.0.1', '10.0.0.0/33', 'a/8', '::/129'],
  ],
  ['sha256', sha256, ['0'.repeat(64)], ['', '0'.repeat(63), 'A'.repeat(64), `${'0'.repeat(64)}\n`]],
  [
    'time',
    time,
    ['2026-06-01T00:00:00Z', '2026-06-01T00:00:00.123Z', '2024-02-29T00:00:00Z'],
    ['', '2026-06-01', '2026-06-01T00:00:00', '2026-06-01T00:00:00+02:00', '2026-02-30T00:00:00Z', 'now'],
  ],
  [
    'label',
    label,
    ['', 'Frau Müller', '田中 😀'],
    ['a\nb', 'a\tb', 'a\0', '\u007f', '\u0085', 'x'.repeat(201)],
  ],
  [
    'scope',
    scope,
    ['servers:read', 'servers:*', '*:read', '*:*', 'keys:export', 'break-glass'],
    [
      '',
      'servers',
      'servers:delete',
      'server:read',
      'keys:*',
      'keys:import',
      'servers:read ',
      'xservers:read',
    ],
  ],
] as const)('%s', (_name, schema, good, bad) => {
  for (const value of good) expect([value, schema.safeParse(value).success]).toEqual([value, true]);
  for (const value of bad) expect([value, schema.safeParse(value).success]).toEqual([value, false]);
});
