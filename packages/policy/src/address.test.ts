import { cidr } from '@sallyport/model';
import { expect, it, test } from 'vitest';
import { addressIn } from './address.ts';

test.each([
  ['10.1.2.3', '10.0.0.0/8', true],
  ['11.0.0.0', '10.0.0.0/8', false],
  ['10.0.0.1', '10.0.0.1/32', true],
  ['10.0.0.2', '10.0.0.1/32', false],
  ['10.0.0.2', '0.0.0.0/0', true],
  // The host bits of a network do not count.
  ['10.0.0.2', '10.9.9.9/8', true],
  ['2001:db8::1', '2001:db8::/32', true],
  ['2001:db9::1', '2001:db8::/32', false],
  ['2001:DB8:0:0::1', '2001:db8::/64', true],
  ['::1', '::/0', true],
  // A mapped address is the IPv4 one, and a mapped network too.
  ['::ffff:10.1.2.3', '10.0.0.0/8', true],
  ['::ffff:0a01:0203', '10.0.0.0/8', true],
  ['10.1.2.3', '::ffff:10.0.0.0/104', true],
  ['::ffff:11.1.2.3', '::ffff:10.0.0.0/104', false],
  // All of IPv6 is not all of IPv4, and the other way round.
  ['10.1.2.3', '::/0', false],
  ['::ffff:10.1.2.3', '::/0', false],
  ['2001:db8::1', '0.0.0.0/0', false],
  ['fe80::1%eth0', 'fe80::/10', true],
])('%s in %s: %s', (address, network, inside) => {
  expect(cidr.safeParse(network).success).toBe(true);
  expect(addressIn(address, [network])).toBe(inside);
});

test.each([
  '',
  'garbage',
  '010.0.0.1',
  '0x0a000001',
  '167772161',
  '10.1',
  ' 10.0.0.1',
  '10.0.0.1/8',
  '10.0.0.256',
])('what is no address is nowhere: %j', (address) => {
  expect(addressIn(address, ['0.0.0.0/0', '::/0'])).toBe(false);
});

it('is inside none of no networks, and needs one of many', () => {
  expect(addressIn('10.0.0.1', [])).toBe(false);
  expect(addressIn('10.0.0.1', ['192.0.2.0/24', '10.0.0.0/8'])).toBe(true);
});

it('finds nothing in a network that cannot be read', () => {
  expect(addressIn('10.0.0.1', ['10.0.0.0/99', 'garbage', '/8'])).toBe(false);
});
