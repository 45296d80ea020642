import { ok, refuseField, unwrap } from '@sallyport/faults';
import { sslEntry, sslEntryWrite, userClass, userClassWrite } from '@sallyport/model';
import { allServers, allZones, readPolicyDocument, updatePolicyDocument } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { checkEveryZone } from '../domain/check-every-zone.ts';
import { classUses } from '../domain/class-uses.ts';
import { newId } from '../domain/identifier.ts';
import { readGlobalPolicy } from '../domain/zone-content.ts';
import { operation } from '../operation.ts';
import { changed, commit, requireVersion, requireWritten } from './answers.ts';

const classList = z.strictObject({ items: z.array(userClass), version: z.int() });
const entryList = z.strictObject({ items: z.array(sslEntry), version: z.int() });
const most = 200;

/** The place of the first item whose value another one before it has. */
function repeated(values: readonly (string | undefined)[]): number {
  return values.findIndex((value, at) => value !== undefined && values.indexOf(value) < at);
}

/** Refuses an id that comes twice, or that no item of the list has had. */
function checkIds(items: readonly { readonly id?: string | undefined }[], known: ReadonlySet<string>): void {
  const twice = repeated(items.map(({ id }) => id));
  if (twice >= 0)
    unwrap(refuseField('invalid-request', `/items/${twice}/id`, 'this id is in the list already'));
  const unknown = items.findIndex(({ id }) => id !== undefined && !known.has(id));
  if (unknown >= 0)
    unwrap(
      refuseField(
        'invalid-request',
        `/items/${unknown}/id`,
        'no item has this id; leave it out to make a new one',
      ),
    );
}

export const policyListOperations = [
  operation({
    route: 'GET /v1/user-classes',
    summary: 'List the global user classes in their order',
    answers: classList,
    async run(deps) {
      const { body, version } = await readPolicyDocument(deps.store.queries, 'user-classes');
      return ok({ body: { items: body, version }, version });
    },
  }),
  operation({
    route: 'PUT /v1/user-classes',
    summary: 'Make the global user classes this list, in this order; an item without an id is a new one',
    body: z.strictObject({ items: z.array(userClassWrite).min(1).max(most) }),
    answers: classList.extend(changed),
    precondition: 'if-match',
    async run(deps, { body: { items }, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const committed = await commit(deps, caller, async (change) => {
        const current = await readPolicyDocument(change.queries, 'user-classes');
        requireVersion(current, expectedVersion);
        checkIds(items, new Set(current.body.map(({ id }) => id)));
        const twice = repeated(items.map(({ name }) => name));
        if (twice >= 0)
          unwrap(refuseField('invalid-request', `/items/${twice}/name`, 'another class has this name'));
        const next = items.map((item) => ({ ...item, id: item.id ?? newId('cls', deps.randomBytes) }));
        const kept = new Set(next.map(({ id }) => id));
        const global = await readGlobalPolicy(change.queries);
        const uses = classUses(global, await allZones(change.queries), await allServers(change.queries));
        for (const gone of current.body.filter(({ id }) => !kept.has(id))) {
          const use = uses.find(({ classes }) => classes.includes(gone.id));
          if (use) unwrap(refuseField('in-use', '/items', `class ${gone.name} is named by ${use.by}`));
        }
        await checkEveryZone(change.queries, { userClasses: next }, '/items');
        requireWritten(await updatePolicyDocument(change.queries, 'user-classes', next, expectedVersion));
        change.audit('user-classes.change', 'user-classes', { items: next });
        change.touch('all');
        return { items: next, version: expectedVersion + 1 };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      return ok({ body: { ...value, changeSequence }, version: value.version });
    },
  }),
  operation({
    route: 'GET /v1/ssl-entries',
    summary: 'List the global SSL entries in their order',
    answers: entryList,
    async run(deps) {
      const { body, version } = await readPolicyDocument(deps.store.queries, 'ssl-entries');
      return ok({ body: { items: body, version }, version });
    },
  }),
  operation({
    route: 'PUT /v1/ssl-entries',
    summary: 'Make the global SSL entries this list, in this order; what no entry matches needs TLS',
    body: z.strictObject({ items: z.array(sslEntryWrite).max(most) }),
    answers: entryList.extend(changed),
    precondition: 'if-match',
    async run(deps, { body: { items }, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const committed = await commit(deps, caller, async (change) => {
        const current = await readPolicyDocument(change.queries, 'ssl-entries');
        requireVersion(current, expectedVersion);
        checkIds(items, new Set(current.body.map(({ id }) => id)));
        const twice = repeated(items.map(({ userClass }) => userClass));
        if (twice >= 0)
          unwrap(
            refuseField('invalid-request', `/items/${twice}/userClass`, 'another entry is for this class'),
          );
        const classes = new Set((await readGlobalPolicy(change.queries)).userClasses.map(({ id }) => id));
        const unknown = items.findIndex(({ userClass }) => userClass !== '*' && !classes.has(userClass));
        if (unknown >= 0)
          unwrap(
            refuseField('invalid-request', `/items/${unknown}/userClass`, 'there is no such user class'),
          );
        const next = items.map((item) => ({ ...item, id: item.id ?? newId('ssl', deps.randomBytes) }));
        requireWritten(await updatePolicyDocument(change.queries, 'ssl-entries', next, expectedVersion));
        change.audit('ssl-entries.change', 'ssl-entries', { items: next });
        change.touch('all');
        return { items: next, version: expectedVersion + 1 };
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      return ok({ body: { ...value, changeSequence }, version: value.version });
    },
  }),
];
