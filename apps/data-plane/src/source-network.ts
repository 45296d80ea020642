import { isIPv6 } from 'node:net';

/**
 * What counts as one source where shares are given out: an IPv4 address, and of an IPv6 address its first 64 bits, for
 * whoever has one such address has all of that network (RFC 6177, RFC 7421).
 *
 * @param address as the socket gives it, perhaps with a zone index
 * @returns the address itself, or four groups and `::/64`
 */
export function sourceNetwork(address: string): string {
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const groups = (text: string | undefined): string[] => (text ? text.toLowerCase().split(':') : []);
  const [before, after] = plain.split('::');
  const head = groups(before);
  const tail = groups(after);
  // An IPv4 address at the end takes two groups.
  const length = head.length + tail.length + (plain.includes('.') ? 1 : 0);
  const all = [...head, ...Array.from({ length: 8 - length }, () => '0'), ...tail];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
