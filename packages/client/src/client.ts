import { type Fault, type FaultCode, FaultError, faults } from '@sallyport/faults';
import type {
  Account,
  AccountCreate,
  AccountPatch,
  AlgorithmPolicy,
  AlgorithmPolicyCreate,
  AlgorithmPolicyPatch,
  AuditRow,
  Certificate,
  CertificateCreate,
  JoinToken,
  JoinTokenCreate,
  Lockout,
  LoginSettings,
  Node,
  NodePatch,
  SecondFactor,
  SecondFactorCreate,
  Server,
  ServerCreate,
  ServerPatch,
  Session,
  StoredEvent,
  Token,
  TokenCreate,
  Zone,
  ZoneCreate,
  ZonePatch,
} from '@sallyport/model';

/** Every answer to a write carries the number of its change. */
export type Changed<T> = T & { readonly changeSequence: number };

/** A body as callers write it: what has a default may be left out. */
type Input<T> = T extends unknown ? { [K in keyof T]?: T[K] | undefined } : never;

/** The operations that a noun of the API has in common. */
export interface Resource<T, Create, Patch> {
  /** Every item, page after page. */
  list(filter?: Record<string, string>): Promise<T[]>;
  get(id: string): Promise<T>;
  create(body: Input<Create>): Promise<Changed<T>>;
  /** @param version the version that was read; another one is refused with `precondition-failed` */
  change(id: string, patch: Patch, version: number): Promise<Changed<T>>;
  remove(id: string, version: number): Promise<{ readonly changeSequence: number }>;
}

/** Which nodes run a change. */
export type Propagation = {
  readonly zone: string;
  readonly sequence: number;
  readonly version?: number;
  readonly state: 'publishing' | 'refused' | 'rolling-out' | 'live';
  readonly refusal?: string;
  readonly nodes: readonly { readonly id: string; readonly name: string; readonly live: boolean }[];
};

/** One request. `version` becomes If-Match. */
export type ApiRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly version?: number;
};

export interface Client {
  /** Sends a request and answers the parsed JSON, or the text of a text answer. Throws FaultError for a problem. */
  request(request: ApiRequest): Promise<unknown>;
  readonly zones: Resource<Zone, ZoneCreate, ZonePatch>;
  readonly servers: Resource<Server, ServerCreate, ServerPatch> & {
    knownHosts(id: string, host?: string): Promise<string>;
  };
  readonly certificates: Omit<Resource<Certificate, CertificateCreate, never>, 'change' | 'create'> & {
    create(body: CertificateBody): Promise<
      Changed<Certificate> & {
        /** A file with the private key, in base64: answered this once. */
        readonly handedOut?: { readonly fileName: string; readonly data: string };
        readonly warnings: readonly string[];
      }
    >;
    revoke(id: string, version: number): Promise<Changed<Certificate>>;
  };
  readonly accounts: Resource<Account, AccountCreate, AccountPatch> & {
    /** Gives it a second factor; `secret` is Base32 and answered this once. */
    setSecondFactor(
      id: string,
      body?: Input<SecondFactorCreate>,
    ): Promise<Changed<SecondFactor> & { readonly secret: string; readonly uri: string }>;
    /** @param version that of the account */
    removeSecondFactor(id: string, version: number): Promise<{ readonly changeSequence: number }>;
  };
  readonly algorithmPolicies: Resource<AlgorithmPolicy, AlgorithmPolicyCreate, AlgorithmPolicyPatch>;
  readonly nodes: Pick<Resource<Node, never, NodePatch>, 'list' | 'get' | 'change'>;
  readonly sessions: Pick<Resource<Session, never, never>, 'list' | 'get'> & {
    /** Has its node end it. */
    end(id: string): Promise<Changed<Session> & { readonly deniedUntil: string }>;
  };
  readonly lockouts: Pick<Resource<Lockout, never, never>, 'list'> & {
    /** Unlocks. */
    remove(id: string): Promise<{ readonly changeSequence: number }>;
  };
  readonly joinTokens: Pick<Resource<JoinToken, JoinTokenCreate, never>, 'list'> & {
    create(body: Input<JoinTokenCreate>): Promise<Changed<JoinToken> & { readonly joinToken: string }>;
  };
  readonly tokens: Pick<Resource<Token, TokenCreate, never>, 'list'> & {
    create(body: Input<TokenCreate>): Promise<Changed<Token> & { readonly secret: string }>;
    remove(id: string): Promise<{ readonly changeSequence: number }>;
  };
  loginSettings(): Promise<LoginSettings & { readonly version: number }>;
  changeLoginSettings(patch: Partial<LoginSettings>, version: number): Promise<Changed<LoginSettings>>;
  propagation(zone: string, sequence: number): Promise<Propagation>;
  events(after: number): Promise<(StoredEvent & { readonly position: number })[]>;
  audit(after: number): Promise<AuditRow[]>;
}

type CertificateBody = CertificateCreate extends infer C
  ? C extends { source: infer S; kind: infer K }
    ? { source: S; kind: K } & Input<Omit<C, 'source' | 'kind'>>
    : never
  : never;

const isCode = (code: unknown): code is FaultCode => typeof code === 'string' && Object.hasOwn(faults, code);

/**
 * A typed client of the control plane's API.
 *
 * @param options URL without a trailing slash, bearer token, and the platform's fetch
 */
export function createClient(options: {
  readonly url: string;
  readonly token: string;
  readonly fetch?: typeof fetch;
}): Client {
  const send = options.fetch ?? fetch;

  async function request({ method, path, body, version }: ApiRequest): Promise<unknown> {
    const response = await send(`${options.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${options.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    if (response.ok) return json ? (JSON.parse(text) as unknown) : text;
    throw new FaultError(faultOf(response.status, text));
  }

  async function list<T>(path: string, filter: Record<string, string> = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
      const answer = (await request({ method: 'GET', path: `${path}?${query}` })) as {
        items: T[];
        nextCursor?: string;
      };
      items.push(...answer.items);
      cursor = answer.nextCursor;
    } while (cursor !== undefined);
    return items;
  }

  const resource = <T, Create, Patch>(path: string): Resource<T, Create, Patch> => ({
    list: (filter) => list<T>(path, filter),
    get: (id) => request({ method: 'GET', path: `${path}/${id}` }) as Promise<T>,
    create: (body) => request({ method: 'POST', path, body }) as Promise<Changed<T>>,
    change: (id, body, version) =>
      request({ method: 'PATCH', path: `${path}/${id}`, body, version }) as Promise<Changed<T>>,
    remove: (id, version) =>
      request({ method: 'DELETE', path: `${path}/${id}`, version }) as Promise<{ changeSequence: number }>,
  });

  const certificates = resource<Certificate, never, never>('/v1/certificates');
  const tokens = resource<Token, TokenCreate, never>('/v1/tokens');
  return {
    request,
    zones: resource('/v1/zones'),
    servers: {
      ...resource<Server, ServerCreate, ServerPatch>('/v1/servers'),
      knownHosts: (id, host) => {
        const query = host === undefined ? '' : `?host=${encodeURIComponent(host)}`;
        return request({ method: 'GET', path: `/v1/servers/${id}/known-hosts${query}` }) as Promise<string>;
      },
    },
    certificates: {
      ...certificates,
      create: (body) => request({ method: 'POST', path: '/v1/certificates', body }) as never,
      revoke: (id, version) =>
        request({ method: 'POST', path: `/v1/certificates/${id}/revoke`, version }) as Promise<
          Changed<Certificate>
        >,
    },
    accounts: {
      ...resource<Account, AccountCreate, AccountPatch>('/v1/accounts'),
      setSecondFactor: (id, body = {}) =>
        request({ method: 'POST', path: `/v1/accounts/${id}/second-factor`, body }) as never,
      removeSecondFactor: (id, version) =>
        request({ method: 'DELETE', path: `/v1/accounts/${id}/second-factor`, version }) as never,
    },
    algorithmPolicies: resource('/v1/algorithm-policies'),
    nodes: resource('/v1/nodes'),
    sessions: {
      ...resource<Session, never, never>('/v1/sessions'),
      end: (id) => request({ method: 'POST', path: `/v1/sessions/${id}/end` }) as never,
    },
    lockouts: {
      ...resource<Lockout, never, never>('/v1/lockouts'),
      remove: (id) =>
        request({ method: 'DELETE', path: `/v1/lockouts/${id}` }) as Promise<{ changeSequence: number }>,
    },
    joinTokens: {
      ...resource<JoinToken, JoinTokenCreate, never>('/v1/join-tokens'),
      create: (body) => request({ method: 'POST', path: '/v1/join-tokens', body }) as never,
    },
    tokens: {
      ...tokens,
      create: (body) => request({ method: 'POST', path: '/v1/tokens', body }) as never,
      remove: (id) =>
        request({ method: 'DELETE', path: `/v1/tokens/${id}` }) as Promise<{ changeSequence: number }>,
    },
    loginSettings: () => request({ method: 'GET', path: '/v1/login-settings' }) as never,
    changeLoginSettings: (body, version) =>
      request({ method: 'PATCH', path: '/v1/login-settings', body, version }) as never,
    propagation: (zone, sequence) =>
      request({
        method: 'GET',
        path: `/v1/zones/${zone}/propagation?sequence=${sequence}`,
      }) as Promise<Propagation>,
    events: async (after) =>
      ((await request({ method: 'GET', path: `/v1/events?after=${after}` })) as { items: never[] }).items,
    audit: async (after) =>
      ((await request({ method: 'GET', path: `/v1/audit?after=${after}` })) as { items: AuditRow[] }).items,
  };
}

/** The fault of a problem; where the answer is none, it came from something between us and the control plane. */
function faultOf(status: number, text: string): Fault {
  const answer = parsedJson(text);
  if (typeof answer !== 'object' || answer === null || !('code' in answer) || !isCode(answer.code)) {
    return { code: 'internal', detail: `HTTP ${status}` };
  }
  const { code, detail, fields, usedBy } = answer as Fault;
  return {
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(fields === undefined ? {} : { fields }),
    ...(usedBy === undefined ? {} : { usedBy }),
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
