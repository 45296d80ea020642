import { isIP, type Socket } from 'node:net';

/** What a balancer says of a connection that it passes on (PROXY protocol, versions 1 and 2). */
export type ProxyHeader =
  /** It passes on the connection of this client. */
  | { readonly kind: 'proxied'; readonly address: string; readonly port: number }
  /** It speaks for itself, as in its health checks, or does not know for whom. */
  | { readonly kind: 'local' };

/** A header from the front of a stream: how long it is, that more is needed, or that it is none. */
export type ProxyParse =
  | { readonly kind: 'complete'; readonly bytes: number; readonly header: ProxyHeader }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' };

const malformed: ProxyParse = { kind: 'malformed' };
const incomplete: ProxyParse = { kind: 'incomplete' };

/** Longest line of version 1, with its end (section 2.1). */
const maxLine = 107;
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Longest rest of a version 2 header that is taken: addresses and what comes with them. */
const maxRest = 2_048;

/** Reads a PROXY protocol header (haproxy.org, proxy-protocol.txt, sections 2.1 and 2.2). Never throws. */
export function parseProxyHeader(bytes: Buffer): ProxyParse {
  const compared = Math.min(bytes.length, signature.length);
  if (bytes.subarray(0, compared).equals(signature.subarray(0, compared))) {
    return compared < signature.length ? incomplete : parseVersion2(bytes);
  }
  return parseVersion1(bytes);
}

function parseVersion1(bytes: Buffer): ProxyParse {
  const begin = Buffer.from('PROXY ');
  const compared = Math.min(bytes.length, begin.length);
  if (!bytes.subarray(0, compared).equals(begin.subarray(0, compared))) return malformed;
  const end = bytes.subarray(0, maxLine).indexOf('\r\n');
  if (end < 0) return bytes.length >= maxLine ? malformed : incomplete;
  const [, family, address = '', , port = '', ...rest] = bytes.toString('latin1', 0, end).split(' ');
  const complete = (header: ProxyHeader): ProxyParse => ({ kind: 'complete', bytes: end + 2, header });
  if (family === 'UNKNOWN') return complete({ kind: 'local' });
  const version = { TCP4: 4, TCP6: 6 }[family ?? ''];
  if (version === undefined || isIP(address) !== version) return malformed;
  const ports = [port, ...rest];
  if (ports.length !== 2 || !ports.every((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535)) {
    return malformed;
  }
  return complete({ kind: 'proxied', address, port: Number(port) });
}

function parseVersion2(bytes: Buffer): ProxyParse {
  const start = signature.length + 4;
  if (bytes.length < start) return incomplete;
  const versionAndCommand = bytes[signature.length] as number;
  const family = bytes[signature.length + 1] as number;
  const length = bytes.readUInt16BE(signature.length + 2);
  if (versionAndCommand >> 4 !== 2 || length > maxRest) return malformed;
  const command = versionAndCommand & 0x0f;
  if (command > 1) return malformed;
  if (bytes.length < start + length) return incomplete;
  const complete = (header: ProxyHeader): ProxyParse => ({ kind: 'complete', bytes: start + length, header });
  if (command === 0 || family === 0) return complete({ kind: 'local' });
  const rest = bytes.subarray(start, start + length);
  switch (family) {
    case 0x11:
      if (rest.length < 12) return malformed;
      return complete({
        kind: 'proxied',
        address: rest.subarray(0, 4).join('.'),
        port: rest.readUInt16BE(8),
      });
    case 0x21: {
      if (rest.length < 36) return malformed;
      const groups = Array.from({ length: 8 }, (_, index) => rest.readUInt16BE(index * 2).toString(16));
      return complete({ kind: 'proxied', address: groups.join(':'), port: rest.readUInt16BE(32) });
    }
    default:
      return malformed;
  }
}

/**
 * Takes the header off the front of a fresh connection; what comes behind it stays in the socket.
 *
 * @param timeoutMs a balancer that has not sent it by then sends none
 * @returns nothing where there is no proper header; the socket is then destroyed
 */
export function takeProxyHeader(socket: Socket, timeoutMs: number): Promise<ProxyHeader | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const settle = (header: ProxyHeader | undefined): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable);
      socket.off('close', onClose);
      socket.off('end', onClose);
      if (!header) socket.destroy();
      resolve(header);
    };
    const onClose = () => settle(undefined);
    const onReadable = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      received = Buffer.concat([received, chunk]);
      const parsed = parseProxyHeader(received);
      if (parsed.kind === 'incomplete') return;
      if (parsed.kind === 'malformed') return settle(undefined);
      if (received.length > parsed.bytes) socket.unshift(received.subarray(parsed.bytes));
      settle(parsed.header);
    };
    const timer = setTimeout(onClose, timeoutMs);
    socket.once('close', onClose);
    socket.once('end', onClose);
    socket.on('readable', onReadable);
  });
}
