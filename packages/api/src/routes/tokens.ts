import { toBase64Url } from '@sallyport/bytes';
import { FaultError, ok, refuseField, unwrap } from '@sallyport/faults';
import { token, tokenCreate } from '@sallyport/model';
import { deleteToken, findToken, findZone, insertToken, listTokens, type TokenRow } from '@sallyport/store';
import { z } from 'zod';
import { tokenHash, tokenPrefix } from '../authenticate.ts';
import { type Caller, holds } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { newId } from '../domain/identifier.ts';
import { operation } from '../operation.ts';
import { asked, changeAnswer, changed, commit, found, idParams, page, pageOf, pageQuery } from './answers.ts';

/** A new token row and the secret that is answered once. */
export function makeToken(
  deps: Pick<Dependencies, 'randomBytes' | 'now'>,
  request: { label: string; scopes: string[]; zones: '*' | string[]; validDays: number },
): { row: TokenRow; secret: string } {
  const secret = `${tokenPrefix}${toBase64Url(deps.randomBytes(32))}`;
  const now = deps.now();
  const row: TokenRow = {
    id: newId('tok', deps.randomBytes),
    label: request.label,
    hash: tokenHash(secret),
    scopes: request.scopes,
    zones: request.zones,
    expiresAt: new Date(now + request.validDays * 86_400_000).toISOString(),
    createdAt: new Date(now).toISOString(),
  };
  return { row, secret };
}

/** A token mints only a subset of itself (design section 3): scopes, zones and life. */
function requireSubset(caller: Caller, row: TokenRow): void {
  if (caller.kind !== 'token') throw new FaultError({ code: 'forbidden' });
  const own = caller.token;
  const tooMuch = row.scopes.find((scope) => !holds(own, scope));
  if (tooMuch !== undefined) {
    throw new FaultError({
      code: 'token-scope-exceeded',
      detail: `this token does not hold ${tooMuch}`,
      fields: [{ pointer: '/scopes', detail: `this token does not hold ${tooMuch}` }],
    });
  }
  const zones = own.zones;
  const beyond = zones !== '*' && (row.zones === '*' || row.zones.some((zone) => !zones.includes(zone)));
  if (beyond) {
    const detail = 'this token does not reach those zones';
    throw new FaultError({ code: 'token-scope-exceeded', detail, fields: [{ pointer: '/zones', detail }] });
  }
  if (row.expiresAt > own.expiresAt) row.expiresAt = own.expiresAt;
}

const view = ({ hash: _hash, ...row }: TokenRow) => row;

export const tokenOperations = [
  operation({
    route: 'GET /v1/tokens',
    summary: 'List tokens, without their secrets',
    query: z.strictObject(pageQuery),
    answers: pageOf(token),
    async run(deps, { query, caller }) {
      const rows = await listTokens(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map(view) } });
    },
  }),
  operation({
    route: 'POST /v1/tokens',
    summary: 'Create a token with a subset of the caller’s scopes; its secret is answered once',
    body: tokenCreate,
    answers: token.extend(changed).extend({ secret: z.string() }),
    status: 201,
    async run(deps, { body, caller }) {
      const { row, secret } = makeToken(deps, body);
      requireSubset(caller, row);
      const committed = await commit(deps, caller, async (change) => {
        for (const [index, zone] of (row.zones === '*' ? [] : row.zones).entries()) {
          if (!(await findZone(change.queries, zone)))
            unwrap(refuseField('invalid-request', `/zones/${index}`, 'there is no such zone'));
        }
        await insertToken(change.queries, row);
        change.audit('token.create', `token:${row.id}`, {
          label: row.label,
          scopes: row.scopes,
          zones: row.zones,
        });
      });
      if (!committed.ok) return committed;
      return ok({ body: { ...view(row), secret, changeSequence: committed.value.changeSequence } });
    },
  }),
  operation({
    route: 'DELETE /v1/tokens/{id}',
    summary: 'Delete a token; it is refused from now on',
    params: idParams,
    answers: changeAnswer,
    async run(deps, { params, caller }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = found(await findToken(change.queries, params.id), 'token');
        requireSubset(caller, { ...row });
        await deleteToken(change.queries, row.id);
        change.audit('token.delete', `token:${row.id}`, { label: row.label });
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
