import ipaddr from 'ipaddr.js';

/** A pattern list of OpenSSH as networks, or the first pattern that is none. */
export type SourcePatterns =
  | { readonly kind: 'networks'; readonly networks: readonly string[] }
  | { readonly kind: 'unsupported'; readonly pattern: string };

const mostPatterns = 100;

/** `10.1.*` as the network of that prefix; nothing for any other use of wildcards. */
function octetPrefix(pattern: string): string | undefined {
  const match = /^((?:\d{1,3}\.){1,3})\*(?:\.\*)*$/.exec(pattern);
  const octets = match?.[1]?.slice(0, -1).split('.');
  if (!octets || pattern.split('.').length > 4) return undefined;
  const address = [...octets, '0', '0', '0'].slice(0, 4).join('.');
  return ipaddr.IPv4.isValidFourPartDecimal(address) ? `${address}/${8 * octets.length}` : undefined;
}

/** Is the network written with its first address, as OpenSSH demands (addrmatch.c)? */
function isNetwork(text: string): boolean {
  if (!ipaddr.isValidCIDR(text)) return false;
  const [address, bits] = ipaddr.parseCIDR(text);
  const [base] = text.split('/') as [string];
  if (address instanceof ipaddr.IPv4 && !ipaddr.IPv4.isValidFourPartDecimal(base)) return false;
  const octets = address.toByteArray();
  return octets.every((octet, i) => (octet & (0xff >> Math.min(8, Math.max(0, bits - 8 * i)))) === 0);
}

function network(pattern: string): string | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(pattern)) return `${pattern}/32`;
  if (ipaddr.IPv6.isValid(pattern) && !pattern.includes('%')) return `${pattern.toLowerCase()}/128`;
  if (pattern === '*') return undefined;
  return isNetwork(pattern) ? pattern.toLowerCase() : octetPrefix(pattern);
}

/**
 * Reads a pattern list of `from` and `source-address` (ssh_config(5) PATTERNS, sshd(8)): addresses, networks, and
 * whole octets of `*`. Host names, negations and other wildcards have no network that stands for them.
 */
export function sourcePatterns(list: string): SourcePatterns {
  const patterns = list.split(',');
  if (patterns.length > mostPatterns) return { kind: 'unsupported', pattern: `more than ${mostPatterns}` };
  const networks: string[] = [];
  for (const pattern of patterns) {
    const found = network(pattern.trim());
    if (!found) return { kind: 'unsupported', pattern: pattern.trim() };
    networks.push(found);
  }
  return { kind: 'networks', networks };
}

/** Is the address in one of the networks? An IPv4-mapped IPv6 address counts as the IPv4 one. */
export function sourceIn(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some((text) => {
    if (!ipaddr.isValidCIDR(text)) return false;
    const [base, bits] = ipaddr.parseCIDR(text);
    return base.kind() === parsed.kind() && parsed.match([base, bits] as never);
  });
}
