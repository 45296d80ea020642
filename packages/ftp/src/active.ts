/** Where a client wants its data connection to go, or why that is no place. */
export type ActiveTarget =
  | { readonly kind: 'target'; readonly family: 4 | 6; readonly address: string; readonly port: number }
  | { readonly kind: 'malformed' | 'unknown-family' | 'privileged-port' };

/** Services listen below; nobody receives files there (RFC 2577 section 3). */
const lowestPort = 1_024;

function target(family: 4 | 6, address: string, port: number): ActiveTarget {
  if (port > 65_535) return { kind: 'malformed' };
  return port < lowestPort ? { kind: 'privileged-port' } : { kind: 'target', family, address, port };
}

/** Reads the argument of PORT (RFC 959 section 5.3.2): six decimal numbers, without leading zeros. */
export function parsePort(argument: string): ActiveTarget {
  const numbers = argument.trim().split(',');
  if (numbers.length !== 6 || !numbers.every((text) => /^(?:0|[1-9]\d{0,2})$/.test(text))) {
    return { kind: 'malformed' };
  }
  const values = numbers.map(Number);
  if (values.some((value) => value > 255)) return { kind: 'malformed' };
  const [high = 0, low = 0] = values.slice(4);
  return target(4, values.slice(0, 4).join('.'), high * 256 + low);
}

/** Reads the argument of EPRT (RFC 2428 section 2). The address is taken as text; whoever compares it reads it. */
export function parseEprt(argument: string): ActiveTarget {
  const text = argument.trim();
  const delimiter = text[0] ?? '';
  if (!/^[!-~]$/.test(delimiter) || /[\da-f.:]/i.test(delimiter)) return { kind: 'malformed' };
  const parts = text.split(delimiter);
  const [before, family = '', address = '', port = '', after] = parts;
  if (parts.length !== 5 || before !== '' || after !== '' || address === '') return { kind: 'malformed' };
  if (!/^[1-9]\d{0,4}$/.test(port) || !/^[\da-f.:]{2,45}$/i.test(address)) return { kind: 'malformed' };
  if (family !== '1' && family !== '2') return { kind: 'unknown-family' };
  return target(family === '1' ? 4 : 6, address, Number(port));
}
