import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { HttpServer } from '@sallyport/model';
import { createHttp2Engine } from './http2.ts';
import { problemOf, sendProblem } from './problem.ts';
import { securityHeaders } from './security-headers.ts';

/** A client that was refused gets this long to read why. */
const farewellMs = 2_000;

/**
 * Refuses TLS connections in the words of the protocol that was agreed on: over HTTP/1.1 before a byte of the request is
 * looked at (design section 4), over HTTP/2 whatever the first request is, since an answer there needs one to belong to.
 *
 * @returns answers 403 `certificate-required` on a socket after its handshake, and closes it
 */
export function createSendOff(): (socket: Socket, server: HttpServer) => void {
  const headersFor = ({ http: { hsts } }: HttpServer) => securityHeaders({ channel: 'encrypted', hsts });
  const servers = new WeakMap<object, HttpServer>();
  const http2 = createHttp2Engine((_, outgoing, session) => {
    const server = servers.get(session);
    sendProblem(outgoing, 'certificate-required', server && headersFor(server));
    if (!session.closed) session.close();
  });

  return (socket, server) => {
    const timer = setTimeout(() => socket.destroy(), farewellMs);
    socket.once('close', () => clearTimeout(timer));
    if (socket instanceof TLSSocket && socket.alpnProtocol === 'h2') {
      const session = http2.open(socket);
      if (session) servers.set(session, server);
      else socket.destroy();
      return;
    }
    const problem = problemOf('certificate-required', {
      ...headersFor(server),
      Connection: 'close',
    });
    const head = Object.entries(problem.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    // Unread bytes would turn our close into a reset that loses the answer.
    socket.resume();
    socket.end(`HTTP/1.1 ${problem.status} Forbidden\r\n${head.join('')}\r\n${problem.body}`);
  };
}
