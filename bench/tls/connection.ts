import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as tls from 'node:tls';
import type { TlsServer } from './server.ts';

/** Sends one command; settles with the reply's last line. Rejects where it is not the one that is expected. */
async function command(socket: Socket, line: string | undefined, expected: string): Promise<void> {
  if (line !== undefined) socket.write(`${line}\r\n`);
  let text = '';
  while (!/^\d{3} .*\r\n$/m.test(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString('latin1');
  }
  if (!text.split('\r\n').some((reply) => reply.startsWith(expected))) throw new Error(`${line}: ${text}`);
}

/** A full handshake, after AUTH TLS where it is FTP, with nothing remembered of an earlier one. */
export async function shakeHands(server: TlsServer): Promise<tls.TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (server.scheme === 'ftp') {
    await command(socket, undefined, '220');
    await command(socket, 'AUTH TLS', '234');
  }
  const secured = tls.connect({
    socket,
    minVersion: 'TLSv1.3',
    ciphers: 'TLS_AES_128_GCM_SHA256',
    rejectUnauthorized: false,
  });
  secured.on('error', () => {});
  await once(secured, 'secureConnect');
  return secured;
}

/** Logs in and stays. */
export async function stay(server: TlsServer): Promise<tls.TLSSocket> {
  const socket = await shakeHands(server);
  if (server.scheme === 'ftp') {
    await command(socket, `USER ${server.user}`, '331');
    await command(socket, `PASS ${server.password}`, '230');
    return socket;
  }
  const credentials = Buffer.from(`${server.user}:${server.password}`).toString('base64');
  socket.write(
    `GET /small/file-0 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic ${credentials}\r\n\r\n`,
  );
  let bytes = 0;
  while (bytes < 1024) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes += chunk.length;
  }
  return socket;
}
