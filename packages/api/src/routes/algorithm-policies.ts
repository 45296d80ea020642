import { FaultError, ok, refuse, refuseField, unwrap } from '@sallyport/faults';
import {
  type AlgorithmPolicy,
  algorithmPolicy,
  algorithmPolicyCreate,
  algorithmPolicyPatch,
} from '@sallyport/model';
import {
  allServers,
  deleteAlgorithmPolicy,
  insertAlgorithmPolicy,
  type Queries,
  updateAlgorithmPolicy,
} from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { allAlgorithmPolicies, requireSigningKey, requireUsable } from '../domain/algorithm-policy.ts';
import { newId } from '../domain/identifier.ts';
import { operation } from '../operation.ts';
import {
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

const changedPolicy = algorithmPolicy.extend(changed);

/** Custom policies of one installation: each is read whole for every publication. */
const maxCustomPolicies = 200;

const findPolicy = async (queries: Queries, id: string): Promise<AlgorithmPolicy> =>
  found(
    (await allAlgorithmPolicies(queries)).find((policy) => policy.id === id),
    'algorithm policy',
  );

function requireCustom(policy: AlgorithmPolicy): void {
  if (policy.origin === 'built-in') {
    unwrap(refuse('policy-refused', `${policy.name} is built in: make a policy of your own from it`));
  }
}

export const algorithmPolicyOperations = [
  operation({
    route: 'GET /v1/algorithm-policies',
    summary: 'List the algorithm policies, built-in ones among them',
    query: z.strictObject(pageQuery),
    answers: pageOf(algorithmPolicy),
    async run(deps, { query }) {
      const { cursor = '' } = query;
      const rows = (await allAlgorithmPolicies(deps.store.queries))
        .filter(({ id }) => id > cursor)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      return ok({ body: page(rows, query.limit, (row) => row.id) });
    },
  }),
  operation({
    route: 'POST /v1/algorithm-policies',
    summary: 'Create an algorithm policy; what the engines cannot serve is refused and said why',
    body: algorithmPolicyCreate,
    answers: changedPolicy,
    status: 201,
    run(deps, { body, caller }) {
      requireZones(caller, 'all');
      return commitResource(deps, caller, async (change) => {
        const policies = await allAlgorithmPolicies(change.queries);
        if (policies.some(({ name }) => name === body.name)) {
          unwrap(refuseField('alias-in-use', '/name', `there is an algorithm policy ${body.name} already`));
        }
        if (policies.filter(({ origin }) => origin === 'custom').length >= maxCustomPolicies) {
          unwrap(refuse('policy-refused', `there are ${maxCustomPolicies} algorithm policies already`));
        }
        const policy = algorithmPolicy.parse({
          ...body,
          id: newId('alg', deps.randomBytes),
          origin: 'custom',
          version: 1,
          createdAt: change.at,
        });
        requireUsable(policy);
        await insertAlgorithmPolicy(change.queries, policy);
        change.audit('algorithm-policy.create', `algorithm-policy:${policy.id}`, { name: policy.name });
        change.touch('all');
        return policy;
      });
    },
  }),
  operation({
    route: 'GET /v1/algorithm-policies/{id}',
    summary: 'Show an algorithm policy',
    params: idParams,
    answers: algorithmPolicy,
    async run(deps, { params }) {
      const policy = await findPolicy(deps.store.queries, params.id);
      return ok({ body: policy, version: policy.version });
    },
  }),
  operation({
    route: 'PATCH /v1/algorithm-policies/{id}',
    summary: 'Change an algorithm policy; new connections of its servers meet it',
    params: idParams,
    body: algorithmPolicyPatch,
    answers: changedPolicy,
    precondition: 'if-match',
    run(deps, { params, body, caller, expectedVersion }) {
      requireZones(caller, 'all');
      return commitResource(deps, caller, async (change) => {
        const current = await findPolicy(change.queries, params.id);
        requireCustom(current);
        requireVersion(current, expectedVersion);
        const { description, ...lists } = body;
        const next: Record<string, unknown> = { ...current, ...lists, version: current.version + 1 };
        if (description === null) delete next.description;
        else if (description !== undefined) next.description = description;
        const policy = algorithmPolicy.parse(next);
        requireUsable(policy);
        for (const server of await allServers(change.queries)) {
          if (server.algorithmPolicy === policy.name) {
            await requireSigningKey(change.queries, server, policy, 'policy');
          }
        }
        requireWritten(await updateAlgorithmPolicy(change.queries, policy, expectedVersion));
        change.audit('algorithm-policy.change', `algorithm-policy:${policy.id}`, {
          fields: Object.keys(body),
        });
        change.touch('all');
        return policy;
      });
    },
  }),
  operation({
    route: 'DELETE /v1/algorithm-policies/{id}',
    summary: 'Delete an algorithm policy that no server uses',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      requireZones(caller, 'all');
      const committed = await commit(deps, caller, async (change) => {
        const current = await findPolicy(change.queries, params.id);
        requireCustom(current);
        const usedBy = (await allServers(change.queries))
          .filter(({ algorithmPolicy: name }) => name === current.name)
          .map(({ name }) => `server:${name}`);
        if (usedBy.length > 0) throw new FaultError({ code: 'in-use', usedBy });
        requireWritten(await deleteAlgorithmPolicy(change.queries, params.id, expectedVersion));
        change.audit('algorithm-policy.delete', `algorithm-policy:${current.id}`, { name: current.name });
        change.touch('all');
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
];
