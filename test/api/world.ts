import { type Client, createClient } from '@sallyport/client';
import type { AuditRow } from '@sallyport/model';
import { expect } from 'vitest';

/** A control plane on some runtime, with its installation. */
export type ControlPlaneUnderTest = {
  /** Without a slash at the end. */
  readonly url: string;
  /** First API token, with every scope. */
  readonly apiToken: string;
  /** SHA-256 of the root metadata. */
  readonly rootFingerprint: string;
  /** Path of the database file, to look at what is at rest. */
  readonly databaseFile: string;
  readonly stop: () => Promise<void>;
};

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at field by field
export type Json = any;

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Json };

export type CallOptions = {
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** Becomes If-Match. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the first token; null sends none. */
  readonly token?: string | null;
};

/** What the cases of the suite work with. */
export type World = {
  readonly plane: () => ControlPlaneUnderTest;
  /** Typed client with every right. */
  readonly admin: () => Client;
  /** A request as it is, `GET /v1/zones`; the answer whatever it is. */
  readonly call: (route: string, options?: CallOptions) => Promise<Answer>;
  /** A name that nothing has yet. */
  readonly unique: (what: string) => string;
  /** Id of a new zone; internal, so that nodes need no approval, unless `more` says otherwise. */
  readonly zone: (more?: object) => Promise<string>;
  /** Id of a zone that others use too: for what looks at its own rows alone. */
  readonly sharedZone: () => Promise<string>;
  readonly account: (zone: string, more?: object) => Promise<Json>;
  /** A certificate that a server of the zone can present. */
  readonly localCertificate: (zone: string, keyType?: 'ed25519' | 'ecdsa-p256') => Promise<Json>;
  readonly server: (zone: string, more?: object) => Promise<Json>;
  /** The whole audit log, however long it has become, as far as it speaks of a target. */
  readonly audited: (target: string) => Promise<AuditRow[]>;
  /** Secret of a new token. */
  readonly token: (scopes: readonly string[], zones?: '*' | readonly string[]) => Promise<string>;
};

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export function createWorld(plane: () => ControlPlaneUnderTest): World {
  let counter = 0;
  const unique = (what: string) => `${what}-${++counter}`;
  const call: World['call'] = async (
    route,
    { body, version, headers = {}, token = plane().apiToken } = {},
  ) => {
    const [method = '', path = ''] = route.split(' ');
    const response = await fetch(`${plane().url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return answerOf(response);
  };
  const created = async (path: string, body: object): Promise<Json> => {
    const answer = await call(`POST ${path}`, { body });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  };
  const zone: World['zone'] = async (more = {}) =>
    (await created('/v1/zones', { name: unique('zone'), kind: 'internal', ...more })).id;
  let shared: Promise<string> | undefined;
  return {
    plane,
    zone,
    sharedZone() {
      shared ??= zone();
      return shared;
    },
    admin: () => createClient({ url: plane().url, token: plane().apiToken }),
    call,
    unique,
    account: (zone, more = {}) =>
      created('/v1/accounts', { name: unique('account'), zones: [zone], ...more }),
    localCertificate: (zone, keyType = 'ed25519') =>
      created('/v1/certificates', {
        source: 'generate',
        kind: 'local',
        alias: unique('local'),
        zones: [zone],
        keyType,
        sans: [{ type: 'ip', value: '127.0.0.1' }],
      }),
    server: (zone, more = {}) =>
      created('/v1/servers', { protocol: 'ssh', name: unique('server'), zone, port: 2222, ...more }),
    async audited(target) {
      const rows: AuditRow[] = [];
      for (;;) {
        const after = rows.at(-1)?.sequence ?? 0;
        const { items } = (await call(`GET /v1/audit?limit=500&after=${after}`)).body;
        if (items.length === 0) return rows.filter((row) => row.target === target);
        rows.push(...items);
      }
    },
    token: async (scopes, zones = '*') =>
      (await created('/v1/tokens', { label: unique('token'), scopes, zones })).secret,
  };
}

/** Holds an answer to be a problem (RFC 9457) of that kind that names those fields. */
export function expectProblem(answer: Answer, status: number, code: string, ...pointers: string[]): void {
  const { headers, body } = answer;
  expect({ status: answer.status, code: body?.code, detail: body?.detail }).toMatchObject({ status, code });
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(body).toMatchObject({ type: `urn:sallyport:problem:${code}`, title: expect.any(String), status });
  expect((body.fields ?? []).map((field: Json) => field.pointer)).toEqual(pointers);
}
