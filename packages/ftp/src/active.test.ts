import { expect, test } from 'vitest';
import { parseEprt, parsePort } from './active.ts';

test('PORT', () => {
  expect(parsePort('192,0,2,1,195,80')).toEqual({
    kind: 'target',
    family: 4,
    address: '192.0.2.1',
    port: 50_000,
  });
});

test.each([
  '',
  '1,2,3,4,5',
  '1,2,3,4,5,6,7',
  '256,2,3,4,5,6',
  '1,2,3,4,5,256',
  '01,2,3,4,5,6',
  '1,2,3,4,-5,6',
  'a,b,c,d,e,f',
])('PORT %j is malformed', (argument) => {
  expect(parsePort(argument).kind).toBe('malformed');
});

test.each([
  ['|1|192.0.2.1|50000|', 4, '192.0.2.1'],
  ['|2|2001:db8::1|50000|', 6, '2001:db8::1'],
  ['!1!192.0.2.1!50000!', 4, '192.0.2.1'],
] as const)('EPRT %s', (argument, family, address) => {
  expect(parseEprt(argument)).toEqual({ kind: 'target', family, address, port: 50_000 });
});

test.each([
  '',
  '|',
  '|1|192.0.2.1|50000',
  '|1|192.0.2.1|50000|x',
  '|1||50000|',
  '|1|host name|50000|',
  '|1|192.0.2.1|0|',
  '|1|192.0.2.1|65536|',
  '111111',
  '|1|192.0.2.1|5e4|',
])('EPRT %j is malformed', (argument) => {
  expect(parseEprt(argument).kind).toBe('malformed');
});

test('a network protocol that nobody knows', () => {
  expect(parseEprt('|3|x:y|50000|').kind).not.toBe('target');
  expect(parseEprt('|3|1.2.3.4|50000|').kind).toBe('unknown-family');
});

test.each([parsePort('192,0,2,1,0,25'), parsePort('192,0,2,1,3,255'), parseEprt('|1|192.0.2.1|1023|')])(
  'ports of services are none',
  (read) => {
    expect(read.kind).toBe('privileged-port');
  },
);
