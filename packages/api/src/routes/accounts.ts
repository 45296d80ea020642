import { FaultError, ok, refuseField, unwrap } from '@sallyport/faults';
import { type Account, account, accountCreate, accountPatch, normalizedName } from '@sallyport/model';
import {
  type AccountRow,
  deleteAccount,
  deleteCertificateRequestsOf,
  deleteCertificatesOf,
  deleteSecondFactor,
  findAccount,
  findAccountKeyed,
  findZone,
  insertAccount,
  listAccounts,
  loginCertificatesOf,
  type Queries,
  secondFactorsOf,
  updateAccount,
} from '@sallyport/store';
import { z } from 'zod';
import { reaches, requireZones } from '../caller.ts';
import { newId } from '../domain/identifier.ts';
import { operation } from '../operation.ts';
import {
  asked,
  changeAnswer,
  changed,
  commit,
  commitResource,
  found,
  idParams,
  page,
  pageOf,
  pageQuery,
  requireVersion,
  requireWritten,
} from './answers.ts';

const changedAccount = account.extend(changed);

/** Accounts as the API answers them: whether they have a password, never its hash. */
async function accountViews(queries: Queries, rows: readonly AccountRow[]): Promise<Account[]> {
  const ids = rows.map((row) => row.id);
  const logins = await loginCertificatesOf(queries, ids);
  const guarded = new Set((await secondFactorsOf(queries, ids)).map((factor) => factor.account));
  return rows.map(({ nameKey: _nameKey, passwordHash, contact, ...rest }) => ({
    ...rest,
    password: passwordHash === null ? 'none' : 'set',
    secondFactor: guarded.has(rest.id) ? 'set' : 'none',
    loginCertificates: [...(logins.get(rest.id) ?? [])],
    ...(contact === null ? {} : { contact }),
  }));
}

const accountView = async (queries: Queries, row: AccountRow): Promise<Account> =>
  (await accountViews(queries, [row]))[0] as Account;

async function requireKnownZones(queries: Queries, zones: readonly string[]): Promise<void> {
  for (const [index, zone] of zones.entries()) {
    if (!(await findZone(queries, zone))) {
      unwrap(refuseField('invalid-request', `/zones/${index}`, 'there is no such zone'));
    }
  }
}

/** Home of an account that names none: a folder of its own name, made safe for a path. */
function defaultHome(name: string): string {
  const home = `/${name}`;
  const parsed = accountPatch.shape.home.safeParse(home);
  if (!parsed.success)
    unwrap(refuseField('invalid-request', '/home', 'this name makes no folder name: give a home'));
  return home;
}

export const accountOperations = [
  operation({
    route: 'GET /v1/accounts',
    summary: 'List accounts',
    query: z.strictObject(pageQuery),
    answers: pageOf(account),
    async run(deps, { query, caller }) {
      const rows = await listAccounts(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: await accountViews(deps.store.queries, list.items) } });
    },
  }),
  operation({
    route: 'POST /v1/accounts',
    summary: 'Create an account',
    body: accountCreate,
    answers: changedAccount,
    status: 201,
    async run(deps, { body, caller }) {
      requireZones(caller, body.zones);
      // Hashing takes its time: it must not hold the write lock.
      const passwordHash = body.password === undefined ? null : await deps.hashPassword(body.password);
      return commitResource(deps, caller, async (change) => {
        await requireKnownZones(change.queries, body.zones);
        const nameKey = normalizedName(body.name, 'lower');
        if (await findAccountKeyed(change.queries, nameKey)) {
          unwrap(refuseField('alias-in-use', '/name', `there is an account ${body.name} already`));
        }
        const { password: _password, home, contact, ...given } = body;
        const row: AccountRow = {
          id: newId('acc', deps.randomBytes),
          ...given,
          nameKey,
          home: home ?? defaultHome(body.name),
          contact: contact ?? null,
          passwordHash,
          version: 1,
          createdAt: change.at,
        };
        await insertAccount(change.queries, row);
        change.audit('account.create', `account:${row.id}`, { name: row.name, zones: row.zones });
        change.touch(row.zones);
        return accountView(change.queries, row);
      });
    },
  }),
  operation({
    route: 'GET /v1/accounts/{id}',
    summary: 'Show an account',
    params: idParams,
    answers: account,
    async run(deps, { params, caller }) {
      const row = found(await findAccount(deps.store.queries, params.id), 'account');
      if (!row.zones.some((zone) => reaches(caller, zone))) throw new FaultError({ code: 'forbidden' });
      return ok({ body: await accountView(deps.store.queries, row), version: row.version });
    },
  }),
  operation({
    route: 'PATCH /v1/accounts/{id}',
    summary: 'Change an account; sessions that rest on what is gone end',
    params: idParams,
    body: accountPatch,
    answers: changedAccount,
    precondition: 'if-match',
    async run(deps, { params, body, caller, expectedVersion }) {
      const { password, contact, ...given } = body;
      const passwordHash = typeof password === 'string' ? await deps.hashPassword(password) : password;
      return commitResource(deps, caller, async (change) => {
        const row = found(await findAccount(change.queries, params.id), 'account');
        requireZones(caller, [...row.zones, ...(given.zones ?? [])]);
        requireVersion(row, expectedVersion);
        if (given.zones) await requireKnownZones(change.queries, given.zones);
        const next = {
          ...row,
          ...given,
          passwordHash: passwordHash === undefined ? row.passwordHash : passwordHash,
          contact: contact === undefined ? row.contact : contact,
          version: row.version + 1,
        } as AccountRow;
        requireWritten(await updateAccount(change.queries, next, expectedVersion));
        change.audit('account.change', `account:${row.id}`, { fields: Object.keys(body) });
        change.touch([...row.zones, ...next.zones]);
        return accountView(change.queries, next);
      });
    },
  }),
  operation({
    route: 'DELETE /v1/accounts/{id}',
    summary: 'Delete an account and its certificates; its files stay',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const row = found(await findAccount(change.queries, params.id), 'account');
        requireZones(caller, row.zones);
        requireVersion(row, expectedVersion);
        await deleteCertificateRequestsOf(change.queries, row.id);
        const certificates = await deleteCertificatesOf(change.queries, row.id);
        await deleteSecondFactor(change.queries, row.id);
        requireWritten(await deleteAccount(change.queries, row.id, expectedVersion));
        change.audit('account.delete', `account:${row.id}`, { name: row.name, certificates });
        change.touch(row.zones);
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
