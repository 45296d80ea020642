import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { FaultError, type FieldFault, faults } from '@sallyport/faults';
import type { Context } from 'hono';
import { z } from 'zod';
import { access } from './access.ts';
import { authenticate } from './authenticate.ts';
import type { Dependencies } from './dependencies.ts';
import type { Operation } from './operation.ts';
import { problem, problemResponse } from './problem.ts';
import { jsonPointer, unstorableText } from './request-text.ts';

const defaultMaxBodyBytes = 262_144;

/** Platform facts that an entry point puts into `env`: Node's adapter, workerd's and Deno's differ. */
export type Bindings = { readonly source?: string };

/** Adds an operation to the app: its document, its access row, then parse, run and answer. */
export function register(app: OpenAPIHono, deps: Dependencies, operation: Operation): void {
  const [method, path] = operation.route.split(' ') as ['GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string];
  const row = access[operation.route];
  app.openAPIRegistry.registerPath(
    createRoute({
      method: method.toLowerCase() as 'get',
      path,
      summary: operation.summary,
      security: row.by === 'token' ? [{ bearer: [row.scope] }] : row.by === 'node' ? [{ node: [] }] : [],
      request: {
        ...(operation.params ? { params: operation.params as z.ZodObject } : {}),
        ...(operation.query ? { query: operation.query as z.ZodObject } : {}),
        ...(operation.precondition
          ? { headers: z.object({ 'if-match': z.string().describe('ETag of the version to change') }) }
          : {}),
        ...(operation.body ? { body: { required: true, content: bodyContent(operation.body) } } : {}),
      },
      responses: {
        [operation.status ?? 200]: { description: 'Done.', content: answerContent(operation) },
        default: {
          description: 'Refused; `code` is one of the closed fault table.',
          content: { 'application/problem+json': { schema: problem } },
        },
      },
    }),
  );
  app.on(method, path.replaceAll(/\{(\w+)\}/g, ':$1'), (context) => handle(context, deps, operation));
}

/** Media types of a file that is sent as it is; what it is, its bytes say. */
const fileTypes = ['application/octet-stream', 'application/pkix-crl', 'application/x-pem-file'] as const;

function bodyContent(body: NonNullable<Operation['body']>) {
  if (body !== 'bytes') return { 'application/json': { schema: body as z.ZodObject } };
  return Object.fromEntries(fileTypes.map((type) => [type, { schema: z.string() }]));
}

function answerContent(operation: Operation) {
  if (operation.answers === 'text') return { 'text/plain': { schema: z.string() } };
  if (operation.answers === 'bytes') return { 'application/octet-stream': { schema: z.string() } };
  return { 'application/json': { schema: operation.answers as z.ZodObject } };
}

async function handle(context: Context, deps: Dependencies, operation: Operation): Promise<Response> {
  const mismatch = await deps.store.checkSchema();
  if (mismatch) return problemResponse(mismatch);
  const raw = context.req.raw;
  const bytes = once(() => readBody(raw, operation.maxBodyBytes ?? defaultMaxBodyBytes));
  const caller = await authenticate(deps, access[operation.route], raw, bytes);
  const result = await operation.run(deps, {
    params: parse(operation.params, context.req.param(), 'path') as never,
    query: parse(operation.query, singleValues(context.req.queries()), 'query') as never,
    body: parseBody(operation.body, raw, await bytes()) as never,
    caller,
    expectedVersion: operation.precondition ? expectedVersion(context.req.header('if-match')) : 0,
    origin: deps.publicUrl ?? new URL(raw.url).origin,
    source: (context.env as Bindings | undefined)?.source,
    // Deno warns of whoever asks for it, so only who waits does.
    get signal() {
      return raw.signal;
    },
  });
  if (!result.ok) return problemResponse(result.fault);
  const { body: answer, status = operation.status ?? 200, version, headers = {} } = result.value;
  const common = {
    ...(version === undefined ? {} : { etag: `"${version}"` }),
    'cache-control': 'no-store',
    ...headers,
  };
  if (operation.answers === 'text' || operation.answers === 'bytes') {
    const type = operation.answers === 'text' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
    return new Response(answer as string | Uint8Array<ArrayBuffer>, {
      status,
      headers: { 'content-type': type, ...common },
    });
  }
  return new Response(JSON.stringify(answer), {
    status,
    headers: { 'content-type': 'application/json', ...common },
  });
}

/** Reads at most the bound, whatever Content-Length says. */
async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.method === 'GET' || request.method === 'DELETE' || !request.body) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new FaultError({ code: 'body-too-large', detail: `at most ${maxBytes} bytes` });
    }
    chunks.push(value);
  }
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}

/** What was read once is answered again. */
function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read();
    return reading;
  };
}

const mediaType = (request: Request): string | undefined =>
  request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();

function parseBody(schema: Operation['body'], request: Request, bytes: Uint8Array | undefined): unknown {
  if (schema === 'bytes') {
    if ((fileTypes as readonly string[]).includes(mediaType(request) ?? '')) {
      return bytes ?? new Uint8Array(0);
    }
    throw new FaultError({ code: 'unsupported-media-type', detail: `send ${fileTypes.join(' or ')}` });
  }
  if (schema) return parse(schema, parseJson(request, bytes), 'body');
  if (bytes && bytes.length > 0) {
    throw new FaultError({ code: 'invalid-request', detail: 'this operation takes no body' });
  }
  return undefined;
}

function parseJson(request: Request, bytes: Uint8Array | undefined): unknown {
  if (mediaType(request) !== 'application/json') throw new FaultError({ code: 'unsupported-media-type' });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FaultError({ code: 'malformed-json' });
  }
  const pointer = unstorableText(value);
  if (pointer !== undefined) {
    const detail = 'text holds a NUL character or half of a surrogate pair';
    throw new FaultError({ code: 'invalid-request', detail, fields: [{ pointer, detail }] });
  }
  return value;
}

function singleValues(queries: Record<string, string[]>): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, given] of Object.entries(queries)) {
    if (given.length > 1) {
      const detail = 'given more than once';
      throw new FaultError({
        code: 'invalid-request',
        detail,
        fields: [{ pointer: `query/${name}`, detail }],
      });
    }
    values[name] = given[0] ?? '';
  }
  return values;
}

const nothing = z.strictObject({});

function parse(schema: z.ZodType | undefined, value: unknown, part: 'path' | 'query' | 'body'): unknown {
  const parsed = (schema ?? nothing).safeParse(value);
  if (parsed.success) return schema ? parsed.data : undefined;
  const fields = parsed.error.issues.flatMap((issue) => fieldsOf(issue, part));
  throw new FaultError({
    code: 'invalid-request',
    detail: faults['invalid-request'].text,
    fields: fields.slice(0, 20),
  });
}

function fieldsOf(issue: z.core.$ZodIssue, part: 'path' | 'query' | 'body'): FieldFault[] {
  const prefix = part === 'body' ? '' : `${part}`;
  const pointer = (path: readonly PropertyKey[]) => `${prefix}${jsonPointer(path)}`;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointer([...issue.path, key]), detail: 'unknown field' }));
  }
  return [{ pointer: pointer(issue.path), detail: issue.message }];
}

/** The version of an If-Match header: one strong ETag of ours. */
function expectedVersion(header: string | undefined): number {
  if (header === undefined) throw new FaultError({ code: 'precondition-required' });
  const version = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (version === undefined)
    throw new FaultError({ code: 'precondition-failed', detail: 'If-Match is not an ETag of ours' });
  return Number(version);
}
