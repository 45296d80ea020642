import { fromBase64, sha256Hex, utf8 } from '@sallyport/bytes';
import { verifyRequest } from '@sallyport/enrolment';
import { FaultError, unwrap } from '@sallyport/faults';
import { findNode, findTokenHashed, type NodeRow } from '@sallyport/store';
import type { Access } from './access.ts';
import { type Caller, requireScope } from './caller.ts';
import type { Dependencies } from './dependencies.ts';

/** Prefix of every API token, so that scanners find a leaked one. */
export const tokenPrefix = 'sly_';

/** SHA-256 in hex of a token's secret, as it is stored. */
export const tokenHash = (secret: string): string => sha256Hex(utf8(secret));

/**
 * Finds out who asks and whether the route is theirs. Throws FaultError `unauthenticated`, `forbidden` or a node fault.
 *
 * @param readBody answers the exact body bytes, undefined where there is none; a token's holder is known without them
 */
export async function authenticate(
  deps: Dependencies,
  access: Access,
  request: Request,
  readBody: () => Promise<Uint8Array | undefined>,
): Promise<Caller> {
  switch (access.by) {
    case 'anyone':
      return { kind: 'anyone' };
    case 'token': {
      const caller = await tokenCaller(deps, request.headers.get('authorization') ?? '');
      requireScope(caller, access.scope);
      return caller;
    }
    case 'node':
      if (!request.headers.has('signature')) throw new FaultError({ code: 'node-signature-invalid' });
      return nodeCaller(deps, access.state, request, await readBody());
  }
}

async function tokenCaller(deps: Dependencies, header: string): Promise<Caller> {
  const secret = /^Bearer (sly_[A-Za-z0-9_-]{20,128})$/i.exec(header)?.[1];
  if (secret === undefined) throw new FaultError({ code: 'unauthenticated' });
  const token = await findTokenHashed(deps.store.queries, tokenHash(secret));
  if (!token || Date.parse(token.expiresAt) <= deps.now()) throw new FaultError({ code: 'unauthenticated' });
  return { kind: 'token', token };
}

async function nodeCaller(
  deps: Dependencies,
  state: 'active' | 'any',
  request: Request,
  body: Uint8Array | undefined,
): Promise<Caller> {
  let node: NodeRow | undefined;
  const verified = await verifyRequest(
    {
      method: request.method,
      url: publicForm(deps, request.url),
      headers: request.headers,
      ...(body ? { body } : {}),
    },
    async (keyId) => {
      node = await findNode(deps.store.queries, keyId);
      return node && node.state !== 'removed' ? fromBase64(node.signingKey) : undefined;
    },
    deps.now(),
  );
  unwrap(verified);
  if (!node) throw new FaultError({ code: 'node-signature-invalid' });
  if (state === 'active' && node.state !== 'active') throw new FaultError({ code: 'node-pending' });
  return { kind: 'node', node };
}

/** The URL as the node asked for it: a proxy in front of us may have put another host and path in its place. */
function publicForm({ publicUrl }: Dependencies, url: string): string {
  if (publicUrl === undefined) return url;
  const { pathname, search } = new URL(url);
  return `${publicUrl}${pathname}${search}`;
}
