import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Only the usual text forms: `010.0.0.1` and `0x7f000001` are read in different ways by different programs. */
function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : undefined;
}

/** A network in the kind of its addresses: `::ffff:10.0.0.0/104` is `10.0.0.0/8`. */
function parseNetwork(text: string): [Address, number] | undefined {
  if (!ipaddr.isValidCIDR(text)) return undefined;
  const [base, bits] = ipaddr.parseCIDR(text);
  return base instanceof ipaddr.IPv6 && base.isIPv4MappedAddress() && bits >= 96
    ? [base.toIPv4Address(), bits - 96]
    : [base, bits];
}

/**
 * Is the address inside one of the networks? An IPv4-mapped IPv6 address counts as the IPv4 one.
 * An unreadable address is inside none, and in an unreadable network is none.
 */
export function addressIn(address: string, networks: readonly string[]): boolean {
  const parsed = parseAddress(address);
  if (!parsed) return false;
  return networks.some((text) => {
    const network = parseNetwork(text);
    return network !== undefined && network[0].kind() === parsed.kind() && parsed.match(network);
  });
}
