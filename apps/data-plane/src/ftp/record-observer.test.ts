import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { makeCertificates } from './fixture/served.ts';
import { RecordObserver } from './record-observer.ts';

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'hands out on %s what a slow reader has not read when the peer is long gone, and answers its closure',
  async (maxVersion) => {
    const certificates = await makeCertificates();
    const secureContext = tls.createSecureContext({
      cert: certificates.server.pem,
      key: certificates.server.keyPem,
      ca: [],
    });
    const sent = randomBytes(100_000);
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = tls.connect({
      port: (server.address() as AddressInfo).port,
      servername: 'localhost',
      ca: [certificates.ca.pem],
      maxVersion,
    });
    client.end(sent);
    client.resume();

    const [raw] = (await once(server, 'connection')) as [Socket];
    const observer = new RecordObserver(raw);
    const secured = new tls.TLSSocket(observer as unknown as Socket, { isServer: true, secureContext });
    await once(secured, 'secure');
    // Everything is here, the peer's end included, before the first byte is read.
    await once(raw, 'end');
    const parts: Buffer[] = [];
    for await (const part of secured.iterator({ destroyOnReturn: false })) parts.push(part as Buffer);
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    expect(observer.closedByAlert(secured.getProtocol() ?? maxVersion, sent.length)).toBe(true);
    const closed = once(client, 'close');
    secured.end();
    await closed;
    secured.destroy();
    server.close();
  },
);
