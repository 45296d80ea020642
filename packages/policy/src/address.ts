import ipaddr from 'ipaddr.js';

/**
 * Is the address inside one of the networks? An IPv4-mapped IPv6 address counts as the IPv4 one.
 * An unreadable address is inside none.
 */
export function addressIn(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
}
