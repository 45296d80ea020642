import { expect, test } from 'vitest';
import { isInnerHost } from './list-address.ts';

test.each([
  'localhost',
  'a.localhost',
  'gate.local',
  'metadata.google.internal',
  'database',
  '127.0.0.1',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '[::1]',
  '::',
  '[fe80::1]',
  '[fd00::1]',
  '[ff02::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:1::]',
])('%s is of this network', (host) => expect(isInnerHost(host)).toBe(true));

test.each(['crl.example.org', '8.8.8.8', '172.32.0.1', '100.128.0.1', '[2a00:1450::1]', '2606:4700::1111'])(
  '%s is not',
  (host) => expect(isInnerHost(host)).toBe(false),
);
