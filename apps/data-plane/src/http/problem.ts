import { type FaultCode, faults } from '@sallyport/faults';
import { hasBody, type Incoming, type Outgoing } from './exchange.ts';
import { cut, writeHead } from './outgoing.ts';

/** A refusal as a client sees it. */
export type Problem = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Problem document of a fault (RFC 9457) with the generic sentence of the table, never the exact reason. */
export function problemOf(code: FaultCode, headers: Readonly<Record<string, string>> = {}): Problem {
  const { http: status, text } = faults[code];
  const body = JSON.stringify({ type: 'about:blank', title: text, status, code });
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      ...headers,
    },
    body,
  };
}

/** Bounds of what is read of a body that nobody wants, so that its sender gets to read our answer. */
const lingerMs = 1_000;
const lingerBytes = 16 << 20;

/**
 * Answers with the problem; where an answer has begun, all that is left is to cut it.
 * A body that is still on its way costs the connection: it is read on for a moment, for closing at once would
 * reset the connection before the client has read the answer.
 */
export function sendProblem(
  outgoing: Outgoing,
  code: FaultCode,
  headers?: Readonly<Record<string, string>>,
): void {
  if (outgoing.headersSent) {
    cut(outgoing);
    return;
  }
  const { status, headers: all, body } = problemOf(code, headers);
  sendRefusal(outgoing, status, all, body);
}

/** The same with a body of one's own, a page for one. */
export function sendRefusal(
  outgoing: Outgoing,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const incoming = outgoing.req;
  if (incoming.complete || !hasBody(incoming)) {
    writeHead(outgoing, status, headers);
    outgoing.end(body);
    return;
  }
  writeHead(outgoing, status, { ...headers, Connection: 'close' });
  if (incoming.headers.expect !== undefined) outgoing.end(body);
  else {
    outgoing.write(body);
    linger(incoming, () => outgoing.end());
  }
}

function linger(incoming: Incoming, done: () => void): void {
  const timer = setTimeout(done, lingerMs);
  const finish = () => {
    clearTimeout(timer);
    done();
  };
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > lingerBytes) finish();
  });
  incoming.once('end', finish);
  incoming.once('close', finish);
}
