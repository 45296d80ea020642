/**
 * Is the host an address that only this network knows: loopback, private, link-local, shared, multicast or none? A
 * control plane that fetched from such addresses would let whoever may name a URL look into the network it stands in.
 *
 * @param host as `URL.hostname` gives it: a name, an IPv4 address in its four numbers, an IPv6 address in brackets or not
 */
export function isInnerHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  const v4 = fourNumbers(bare);
  if (v4) return isInnerV4(v4);
  if (bare.includes(':')) return isInnerV6(bare);
  // Names of this machine and of this network; what other names resolve to, whoever connects has to look at.
  return /(^|\.)(localhost|local|internal|home\.arpa)\.?$/.test(bare) || !bare.includes('.');
}

function fourNumbers(text: string): readonly number[] | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  return found ? found.slice(1).map(Number) : undefined;
}

/** Special-purpose addresses (RFC 6890) and multicast. */
function isInnerV4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19))
  );
}

/** Global unicast is 2000::/3 (RFC 4291 section 2.4); what wraps an IPv4 address is judged as inner. */
function isInnerV6(text: string): boolean {
  const first = Number.parseInt(text.split(':')[0] || '0', 16);
  const global = first >= 0x2000 && first <= 0x3fff;
  return !global || first === 0x2002 || /^2001:0{0,3}(:|0?:)/.test(text) || /^2001:0?db8:/.test(text);
}
