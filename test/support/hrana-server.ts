// libSQL over HTTP (Hrana 2 and 3, JSON) in front of a database file. FOR DEVELOPMENT AND TESTS ONLY: it stands in
// for the database that a control plane on Workers or Deno reaches by network, where none can be installed.
// Production is sqld or Turso.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connectionPool } from './hrana-connections.ts';
import { type HranaStream, openStream, type StreamAnswer, type StreamRequest } from './hrana-stream.ts';
import { errorOf } from './hrana-values.ts';
import { writeLock } from './write-lock.ts';

export type HranaServerOptions = {
  /** Path of the database file; made when it does not exist. */
  readonly file: string;
  /** What a client must send as bearer token. */
  readonly authToken: string;
  /** How long a writer waits for the one before it. Default 10,000. */
  readonly writerWaitMs?: number;
  /** A stream that nobody uses for so long is rolled back and forgotten. Default 10,000. */
  readonly streamIdleMs?: number;
};

export type HranaServer = {
  /** `http://127.0.0.1:PORT`, as `@libsql/client` takes it. */
  readonly url: string;
  /** Rolls back open transactions, closes all connections and stops listening. */
  readonly close: () => Promise<void>;
};

const maxBodyBytes = 32 * 1024 * 1024;

/** Starts a server on a free port of 127.0.0.1. */
export async function startHranaServer({
  file,
  authToken,
  writerWaitMs = 10_000,
  streamIdleMs = 10_000,
}: HranaServerOptions): Promise<HranaServer> {
  const lock = writeLock();
  const connections = connectionPool(file, writerWaitMs);
  const streams = new Map<string, { readonly stream: HranaStream; readonly idle: NodeJS.Timeout }>();
  const using = new Set<HranaStream>();
  const allowed = digest(`Bearer ${authToken}`);

  const first = openStream(connections, lock, writerWaitMs);
  await first.answer({ type: 'execute', stmt: { sql: 'PRAGMA journal_mode = WAL' } });
  first.close();

  const take = (baton: string): HranaStream | undefined => {
    const kept = streams.get(baton);
    if (!kept) return undefined;
    clearTimeout(kept.idle);
    streams.delete(baton);
    return kept.stream;
  };
  const keep = (stream: HranaStream): string | null => {
    if (stream.closed()) return null;
    const baton = randomBytes(18).toString('base64url');
    const idle = setTimeout(() => take(baton)?.close(), streamIdleMs);
    streams.set(baton, { stream, idle });
    return baton;
  };

  const pipeline = async (request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.parse(await textOf(request));
    const stream =
      typeof body.baton === 'string' ? take(body.baton) : openStream(connections, lock, writerWaitMs);
    if (!stream)
      return answer(response, 400, { code: 'STREAM_EXPIRED', message: 'the baton is unknown or expired' });
    using.add(stream);
    try {
      const results: StreamAnswer[] = [];
      for (const wanted of body.requests as StreamRequest[]) results.push(await stream.answer(wanted));
      answer(response, 200, { baton: keep(stream), base_url: null, results });
    } catch (thrown) {
      stream.close();
      throw thrown;
    } finally {
      using.delete(stream);
    }
  };

  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const { method, url } = request;
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), allowed)) {
      return answer(response, 401, {
        code: 'AUTH_REJECTED',
        message: 'the bearer token is not the right one',
      });
    }
    if (method === 'GET' && (url === '/v2' || url === '/v3')) return answer(response, 200, {});
    if (method !== 'POST' || (url !== '/v2/pipeline' && url !== '/v3/pipeline')) {
      return answer(response, 404, {
        code: 'NOT_FOUND',
        message: 'only /v2/pipeline and /v3/pipeline are here',
      });
    }
    pipeline(request, response).catch((thrown) => {
      if (!response.headersSent) answer(response, 400, errorOf(thrown));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('not listening');

  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const stopped = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      for (const baton of [...streams.keys()]) take(baton)?.close();
      for (const stream of using) stream.close();
      connections.close();
      await stopped;
    },
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
