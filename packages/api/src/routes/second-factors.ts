import { FaultError, ok } from '@sallyport/faults';
import { secondFactor, secondFactorCreate } from '@sallyport/model';
import {
  type AccountRow,
  type Change,
  deleteSecondFactor,
  findAccount,
  findSecondFactor,
  saveSecondFactor,
  updateAccount,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, reaches, requireZones } from '../caller.ts';
import { newSecondFactor } from '../domain/second-factor.ts';
import { operation } from '../operation.ts';
import { changeAnswer, changed, commit, found, idParams, requireVersion, requireWritten } from './answers.ts';

const standing = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('none') }),
  secondFactor.extend({ state: z.literal('set') }),
]);

/** The secret and its URI are answered this once. */
const enrolled = secondFactor.extend({ secret: z.string(), uri: z.string() }).extend(changed);

/** The account, for a change of what belongs to it: it gets another version, and its zones a snapshot. */
async function changedAccount(
  change: Change,
  caller: Caller,
  id: string,
  expectedVersion?: number,
): Promise<AccountRow> {
  const row = found(await findAccount(change.queries, id), 'account');
  requireZones(caller, row.zones);
  requireVersion(row, expectedVersion ?? row.version);
  const next = { ...row, version: row.version + 1 };
  requireWritten(await updateAccount(change.queries, next, row.version));
  change.touch(row.zones);
  return next;
}

export const secondFactorOperations = [
  operation({
    route: 'GET /v1/accounts/{id}/second-factor',
    summary: 'Show whether an account has a second factor, and of which kind',
    params: idParams,
    answers: standing,
    async run(deps, { params, caller }) {
      const row = found(await findAccount(deps.store.queries, params.id), 'account');
      if (!row.zones.some((zone) => reaches(caller, zone))) throw new FaultError({ code: 'forbidden' });
      const held = await findSecondFactor(deps.store.queries, row.id);
      if (!held) return ok({ body: { state: 'none' as const }, version: row.version });
      const { account: _account, secret: _secret, ...facts } = held;
      return ok({ body: { state: 'set' as const, ...facts }, version: row.version });
    },
  }),
  operation({
    route: 'POST /v1/accounts/{id}/second-factor',
    summary: 'Give an account a second factor, in place of the one it has; its secret is answered this once',
    params: idParams,
    body: secondFactorCreate,
    answers: enrolled,
    status: 201,
    async run(deps, { params, body, caller }) {
      const committed = await commit(deps, caller, async (change) => {
        const account = await changedAccount(change, caller, params.id);
        const made = await newSecondFactor(deps.keys, deps.randomBytes, account, body, change.at);
        await saveSecondFactor(change.queries, made.row);
        const { algorithm, digits, periodSeconds } = body;
        const source = body.secret === undefined ? 'generated' : 'imported';
        change.audit('account.second-factor.set', `account:${account.id}`, {
          source,
          algorithm,
          digits,
          periodSeconds,
        });
        return { ...made, version: account.version };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      const { account: _account, secret: _sealed, ...facts } = value.row;
      return ok({
        body: { ...facts, secret: value.secret, uri: value.uri, changeSequence },
        version: value.version,
      });
    },
  }),
  operation({
    route: 'DELETE /v1/accounts/{id}/second-factor',
    summary:
      'Take an account’s second factor away; sessions that rest on it end. If-Match: the account’s version',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const account = await changedAccount(change, caller, params.id, expectedVersion);
        if (!(await deleteSecondFactor(change.queries, account.id))) found(undefined, 'second factor');
        change.audit('account.second-factor.remove', `account:${account.id}`);
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
