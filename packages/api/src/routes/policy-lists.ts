import { ok, refuseField, unwrap } from '@sallyport/faults';
import {
  type SslEntry,
  sslEntry,
  sslEntryWrite,
  type UserClass,
  userClass,
  userClassWrite,
} from '@sallyport/model';
import {
  allServers,
  allZones,
  type Queries,
  readPolicyDocument,
  updatePolicyDocument,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, requireZones } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { checkEveryZone } from '../domain/check-every-zone.ts';
import { classUses } from '../domain/class-uses.ts';
import { newId } from '../domain/identifier.ts';
import { readGlobalPolicy } from '../domain/zone-content.ts';
import { operation } from '../operation.ts';
import { changed, commitResource, requireVersion, requireWritten } from './answers.ts';

const classList = z.strictObject({ items: z.array(userClass), version: z.int() });
const entryList = z.strictObject({ items: z.array(sslEntry), version: z.int() });
const most = 200;

type Lists = { 'user-classes': UserClass; 'ssl-entries': SslEntry };

async function list<N extends keyof Lists>({ store }: Dependencies, name: N) {
  const { body, version } = await readPolicyDocument(store.queries, name);
  return ok({ body: { items: body as Lists[N][], version }, version });
}

/** Refuses the first item whose `field` another one before it has. */
function refuseTwice<T>(items: readonly T[], field: keyof T & string, detail: string): void {
  const values = items.map((item) => item[field]);
  const twice = values.findIndex((value, at) => value !== undefined && values.indexOf(value) < at);
  if (twice >= 0) unwrap(refuseField('invalid-request', `/items/${twice}/${field}`, detail));
}

/**
 * Puts a list in place of a document. An item without an id is a new one; an id that no item of the list has had is
 * refused.
 *
 * @param check refuses what the list must not say; it is given the items before and after
 */
async function replaceList<N extends keyof Lists>(
  deps: Dependencies,
  { name, idOf }: { readonly name: N; readonly idOf: string },
  request: {
    readonly caller: Caller;
    readonly expectedVersion: number;
    readonly items: readonly (Omit<Lists[N], 'id'> & { readonly id?: string | undefined })[];
  },
  check: (queries: Queries, before: readonly Lists[N][], next: readonly Lists[N][]) => Promise<void>,
) {
  const { caller, expectedVersion, items } = request;
  requireZones(caller, 'all');
  return commitResource(deps, caller, async (change) => {
    const current = await readPolicyDocument(change.queries, name);
    requireVersion(current, expectedVersion);
    const before = current.body as Lists[N][];
    const known = new Set(before.map(({ id }) => id));
    refuseTwice(items, 'id', 'this id is in the list already');
    const unknown = items.findIndex(({ id }) => id !== undefined && !known.has(id));
    if (unknown >= 0)
      unwrap(
        refuseField(
          'invalid-request',
          `/items/${unknown}/id`,
          'no item has this id; leave it out for a new one',
        ),
      );
    const next = items.map((item) => ({
      ...item,
      id: item.id ?? newId(idOf, deps.randomBytes),
    })) as Lists[N][];
    await check(change.queries, before, next);
    requireWritten(
      await updatePolicyDocument<keyof Lists>(change.queries, name, next as never, expectedVersion),
    );
    change.audit(`${name}.change`, name, { items: next });
    change.touch('all');
    return { items: next, version: expectedVersion + 1 };
  });
}

export const policyListOperations = [
  operation({
    route: 'GET /v1/user-classes',
    summary: 'List the global user classes in their order',
    answers: classList,
    run: (deps) => list(deps, 'user-classes'),
  }),
  operation({
    route: 'PUT /v1/user-classes',
    summary: 'Make the global user classes this list, in this order; an item without an id is a new one',
    body: z.strictObject({ items: z.array(userClassWrite).min(1).max(most) }),
    answers: classList.extend(changed),
    precondition: 'if-match',
    run: (deps, { body: { items }, caller, expectedVersion }) =>
      replaceList(
        deps,
        { name: 'user-classes', idOf: 'cls' },
        { caller, expectedVersion, items },
        async (queries, before, next) => {
          refuseTwice(items, 'name', 'another class has this name');
          const kept = new Set(next.map(({ id }) => id));
          const global = await readGlobalPolicy(queries);
          const uses = classUses(global, await allZones(queries), await allServers(queries));
          for (const gone of before.filter(({ id }) => !kept.has(id))) {
            const use = uses.find(({ classes }) => classes.includes(gone.id));
            if (use) unwrap(refuseField('in-use', '/items', `class ${gone.name} is named by ${use.by}`));
          }
          await checkEveryZone(queries, { userClasses: next }, '/items');
        },
      ),
  }),
  operation({
    route: 'GET /v1/ssl-entries',
    summary: 'List the global SSL entries in their order',
    answers: entryList,
    run: (deps) => list(deps, 'ssl-entries'),
  }),
  operation({
    route: 'PUT /v1/ssl-entries',
    summary: 'Make the global SSL entries this list, in this order; what no entry matches needs TLS',
    body: z.strictObject({ items: z.array(sslEntryWrite).max(most) }),
    answers: entryList.extend(changed),
    precondition: 'if-match',
    run: (deps, { body: { items }, caller, expectedVersion }) =>
      replaceList(
        deps,
        { name: 'ssl-entries', idOf: 'ssl' },
        { caller, expectedVersion, items },
        async (queries) => {
          refuseTwice(items, 'userClass', 'another entry is for this class');
          const classes = new Set((await readGlobalPolicy(queries)).userClasses.map(({ id }) => id));
          const unknown = items.findIndex(({ userClass }) => userClass !== '*' && !classes.has(userClass));
          if (unknown >= 0)
            unwrap(
              refuseField('invalid-request', `/items/${unknown}/userClass`, 'there is no such user class'),
            );
        },
      ),
  }),
];
