import type { Scope } from '@sallyport/model';

/** Who may call a route: a token with the scope, a signed node, or anyone. */
export type Access =
  | { readonly by: 'token'; readonly scope: Scope }
  | { readonly by: 'node'; readonly state: 'active' | 'any' }
  | { readonly by: 'anyone' };

const token = (scope: Scope): Access => ({ by: 'token', scope });

/**
 * Who may call what: one row per route. A route without a row cannot be registered, and a row without a route
 * fails a test. Zones are checked beside it, where the resource is known.
 */
export const access = {
  'GET /v1/health': { by: 'anyone' },
  'GET /v1/zones': token('zones:read'),
  'POST /v1/zones': token('zones:write'),
  'GET /v1/zones/{id}': token('zones:read'),
  'PATCH /v1/zones/{id}': token('zones:write'),
  'GET /v1/zones/{id}/effective': token('policy:read'),
  'GET /v1/zones/{id}/propagation': token('snapshots:read'),
  'GET /v1/servers': token('servers:read'),
  'POST /v1/servers': token('servers:write'),
  'GET /v1/servers/{id}': token('servers:read'),
  'PATCH /v1/servers/{id}': token('servers:write'),
  'DELETE /v1/servers/{id}': token('servers:write'),
  'GET /v1/servers/{id}/known-hosts': token('servers:read'),
  'GET /v1/servers/{id}/host-key-receipts': token('servers:read'),
  'GET /v1/algorithm-policies': token('policy:read'),
  'POST /v1/algorithm-policies': token('policy:write'),
  'GET /v1/algorithm-policies/{id}': token('policy:read'),
  'PATCH /v1/algorithm-policies/{id}': token('policy:write'),
  'DELETE /v1/algorithm-policies/{id}': token('policy:write'),
  'GET /v1/certificates': token('certificates:read'),
  'POST /v1/certificates': token('certificates:write'),
  'GET /v1/certificates/{id}': token('certificates:read'),
  'PATCH /v1/certificates/{id}': token('certificates:write'),
  'GET /v1/certificates/{id}/public': token('certificates:read'),
  'GET /v1/certificates/{id}/fingerprints': token('certificates:read'),
  'POST /v1/certificates/{id}/export': token('keys:export'),
  'POST /v1/certificates/bulk': token('certificates:write'),
  'POST /v1/certificates/renew': token('certificates:write'),
  'GET /v1/certificates/expiry-report': token('certificates:read'),
  'POST /v1/certificates/{id}/replace': token('certificates:write'),
  'POST /v1/certificates/{id}/rollback': token('certificates:write'),
  'GET /v1/certificates/{id}/versions': token('certificates:read'),
  'DELETE /v1/certificates/{id}/versions/{number}': token('certificates:write'),
  'POST /v1/certificates/{id}/revoke': token('certificates:write'),
  'GET /v1/certificates/{id}/crl': token('certificates:read'),
  'PUT /v1/certificates/{id}/crl': token('certificates:write'),
  'POST /v1/certificates/{id}/crl': token('certificates:write'),
  'DELETE /v1/certificates/{id}/crl': token('certificates:write'),
  'POST /v1/certificates/{id}/crl/fetch': token('certificates:write'),
  // It looks and changes nothing.
  'POST /v1/certificates/validate': token('certificates:read'),
  'POST /v1/certificates/revoke': token('certificates:write'),
  'GET /v1/revocations': token('certificates:read'),
  // Who was shown a certificate of ours may ask whether it still holds.
  'GET /v1/crl/{file}': { by: 'anyone' },
  'DELETE /v1/certificates/{id}': token('certificates:write'),
  'GET /v1/certificate-requests': token('certificates:read'),
  'POST /v1/certificate-requests': token('certificates:write'),
  'GET /v1/certificate-requests/{id}': token('certificates:read'),
  'GET /v1/certificate-requests/{id}/request': token('certificates:read'),
  'POST /v1/certificate-requests/{id}/finish': token('certificates:write'),
  'DELETE /v1/certificate-requests/{id}': token('certificates:write'),
  'GET /v1/certificate-authorities': token('certificates:read'),
  'POST /v1/certificate-authorities': token('certificates:write'),
  'GET /v1/certificate-authorities/{id}': token('certificates:read'),
  'GET /v1/certificate-authorities/{id}/public': token('certificates:read'),
  'POST /v1/certificate-authorities/{id}/activate': token('certificates:write'),
  'POST /v1/certificate-authorities/{id}/retire': token('certificates:write'),
  'POST /v1/certificate-authorities/{id}/revoke': token('certificates:write'),
  'DELETE /v1/certificate-authorities/{id}': token('certificates:write'),
  'POST /v1/certificate-authorities/{id}/sign': token('certificates:write'),
  'POST /v1/certificate-authorities/{id}/ssh-certificates': token('certificates:write'),
  'GET /v1/ssh-certificates': token('certificates:read'),
  'GET /v1/ssh-certificates/{id}': token('certificates:read'),
  'POST /v1/ssh-certificates/{id}/revoke': token('certificates:write'),
  'GET /v1/accounts': token('accounts:read'),
  'POST /v1/accounts': token('accounts:write'),
  'GET /v1/accounts/{id}': token('accounts:read'),
  'PATCH /v1/accounts/{id}': token('accounts:write'),
  'DELETE /v1/accounts/{id}': token('accounts:write'),
  'GET /v1/login-settings': token('policy:read'),
  'PATCH /v1/login-settings': token('policy:write'),
  'GET /v1/user-classes': token('policy:read'),
  'GET /v1/ssl-entries': token('policy:read'),
  'GET /v1/nodes': token('nodes:read'),
  'GET /v1/nodes/{id}': token('nodes:read'),
  'PATCH /v1/nodes/{id}': token('nodes:write'),
  'GET /v1/join-tokens': token('join-tokens:read'),
  'POST /v1/join-tokens': token('join-tokens:write'),
  'GET /v1/snapshots': token('snapshots:read'),
  'GET /v1/sessions': token('sessions:read'),
  'GET /v1/sessions/{id}': token('sessions:read'),
  'POST /v1/sessions/{id}/end': token('sessions:write'),
  'GET /v1/tokens': token('tokens:read'),
  'POST /v1/tokens': token('tokens:write'),
  'DELETE /v1/tokens/{id}': token('tokens:write'),
  'GET /v1/audit': token('audit:read'),
  'GET /v1/events': token('events:read'),
  // A join is proved by the token's secret and the node's new key, inside the body.
  'POST /v1/node/join': { by: 'anyone' },
  'GET /v1/node/poll': { by: 'node', state: 'active' },
  'GET /v1/node/sections/{digest}': { by: 'node', state: 'active' },
  'GET /v1/node/roots/{version}': { by: 'node', state: 'any' },
  'POST /v1/node/status': { by: 'node', state: 'active' },
  'POST /v1/node/events': { by: 'node', state: 'active' },
} as const satisfies Record<string, Access>;

/** A route of the table. */
export type RouteName = keyof typeof access;
