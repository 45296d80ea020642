import { FaultError, ok, refuseField, unwrap } from '@sallyport/faults';
import { host, type Server, type ServerPatch, server, serverCreate, serverPatch } from '@sallyport/model';
import { knownHostsLine } from '@sallyport/pki';
import { effectivePolicy } from '@sallyport/policy';
import { checkAdmits } from '@sallyport/snapshot/publish';
import {
  deleteHostKeyReceipts,
  deleteServer,
  findCertificate,
  findServer,
  findServerNamed,
  findZone,
  insertServer,
  listServers,
  type Queries,
  updateServer,
} from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { checkAlgorithmPolicy } from '../domain/algorithm-policy.ts';
import { accountsWithout } from '../domain/host-key-receipts.ts';
import { newId } from '../domain/identifier.ts';
import { storedSshBlob } from '../domain/stored-certificate.ts';
import { readGlobalPolicy } from '../domain/zone-content.ts';
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

/** What a change does to partners that they could not know beforehand. */
const warning = z.strictObject({
  code: z.literal('host-key-not-learned'),
  detail: z.string(),
  accounts: z.array(z.string()),
});

const changedServer = z.discriminatedUnion('protocol', [
  server.options[0].extend({ ...changed, warnings: z.array(warning).optional() }),
  server.options[1].extend(changed),
  server.options[2].extend(changed),
]);

/** Every assigned certificate must be a local one of the server's zone, with its key, and not revoked. */
async function checkCertificates(queries: Queries, candidate: Server): Promise<void> {
  for (const [index, id] of candidate.certificates.entries()) {
    const pointer = `/certificates/${index}`;
    const row = await findCertificate(queries, id);
    if (row?.kind !== 'local') {
      unwrap(refuseField('invalid-request', pointer, 'there is no such local certificate'));
    } else if (!row.zones.includes(candidate.zone)) {
      unwrap(refuseField('certificate-purpose', pointer, `certificate ${row.alias} is not for this zone`));
    } else if (row.revokedAt !== null) {
      unwrap(refuseField('certificate-purpose', pointer, `certificate ${row.alias} is revoked`));
    } else if (row.privateKey === null) {
      unwrap(refuseField('certificate-purpose', pointer, `certificate ${row.alias} has no private key here`));
    } else if (row.key.type === 'rsa' && row.key.bits < 2_048) {
      const detail = `${row.alias} is an RSA key of ${row.key.bits} bits: no server presents one below 2048`;
      unwrap(refuseField('key-unsupported', pointer, detail));
    } else if (candidate.protocol !== 'ssh' && row.form === 'ssh-key') {
      unwrap(
        refuseField(
          'certificate-purpose',
          pointer,
          `${row.alias} is an SSH key in its wrapper: no TLS certificate`,
        ),
      );
    } else if (candidate.certificates.indexOf(id) !== index) {
      unwrap(refuseField('invalid-request', pointer, `certificate ${row.alias} is named twice`));
    }
  }
}

async function checkServer(queries: Queries, candidate: Server): Promise<void> {
  const zone = await findZone(queries, candidate.zone);
  if (!zone) throw new FaultError(zoneMissing);
  await checkCertificates(queries, candidate);
  await checkAlgorithmPolicy(queries, candidate);
  const policy = effectivePolicy(await readGlobalPolicy(queries), zone);
  const admits = checkAdmits(candidate, policy);
  if (!admits.ok) {
    unwrap(refuseField('policy-refused', '/clientPassword', admits.fault.detail ?? 'nobody could log in'));
  }
}

/** Named in an answer; the view of the receipts has all. */
const mostNamed = 100;

const notLearned = (accounts: readonly string[]): z.infer<typeof warning> => ({
  code: 'host-key-not-learned',
  detail: `clients of ${accounts.length} accounts know none of the host keys that are in use now`,
  accounts: accounts.slice(0, mostNamed),
});

const zoneMissing = {
  code: 'invalid-request',
  detail: 'there is no such zone',
  fields: [{ pointer: '/zone', detail: 'there is no such zone' }],
} as const;

/** The server with a patch applied; an option group of another protocol is refused. */
function patched(current: Server, patch: ServerPatch): Server {
  for (const group of ['ssh', 'ftp', 'http'] as const) {
    if (patch[group] !== undefined && current.protocol !== group) {
      unwrap(refuseField('invalid-request', `/${group}`, `this is an ${current.protocol} server`));
    }
  }
  if (patch.clientPassword !== undefined && current.protocol !== 'ssh') {
    unwrap(refuseField('invalid-request', '/clientPassword', 'only an ssh server has it'));
  }
  const { banner, drainBy, ...rest } = patch;
  const next: Record<string, unknown> = { ...current, ...rest, version: current.version + 1 };
  for (const [field, value] of Object.entries({ banner, drainBy })) {
    if (value === null) delete next[field];
    else if (value !== undefined) next[field] = value;
  }
  return server.parse(next);
}

export const serverOperations = [
  operation({
    route: 'GET /v1/servers',
    summary: 'List servers',
    query: z.strictObject(pageQuery),
    answers: pageOf(server),
    async run(deps, { query, caller }) {
      const rows = await listServers(deps.store.queries, asked(query, caller));
      return ok({ body: page(rows, query.limit, (row) => row.id) });
    },
  }),
  operation({
    route: 'POST /v1/servers',
    summary: 'Create a server: a listener that every node of its zone runs',
    body: serverCreate,
    answers: changedServer,
    status: 201,
    run(deps, { body, caller }) {
      requireZones(caller, [body.zone]);
      return commitResource(deps, caller, async (change) => {
        if (await findServerNamed(change.queries, body.name)) {
          unwrap(refuseField('alias-in-use', '/name', `there is a server ${body.name} already`));
        }
        const row = server.parse({
          ...body,
          id: newId('srv', deps.randomBytes),
          version: 1,
          createdAt: change.at,
        });
        await checkServer(change.queries, row);
        await insertServer(change.queries, row);
        change.audit('server.create', `server:${row.id}`, {
          name: row.name,
          zone: row.zone,
          protocol: row.protocol,
        });
        change.touch([row.zone]);
        return row;
      });
    },
  }),
  operation({
    route: 'GET /v1/servers/{id}',
    summary: 'Show a server',
    params: idParams,
    answers: server,
    async run(deps, { params, caller }) {
      const row = found(await findServer(deps.store.queries, params.id), 'server');
      requireZones(caller, [row.zone]);
      return ok({ body: row, version: row.version });
    },
  }),
  operation({
    route: 'PATCH /v1/servers/{id}',
    summary: 'Change a server; open sessions go on unless the change revokes what they rest on',
    params: idParams,
    body: serverPatch,
    answers: changedServer,
    precondition: 'if-match',
    run(deps, { params, body, caller, expectedVersion }) {
      return commitResource(deps, caller, async (change) => {
        const current = found(await findServer(change.queries, params.id), 'server');
        requireZones(caller, [current.zone]);
        requireVersion(current, expectedVersion);
        const next = patched(current, body);
        const sameName = await findServerNamed(change.queries, next.name);
        if (sameName && sameName.id !== next.id) {
          unwrap(refuseField('alias-in-use', '/name', `there is a server ${next.name} already`));
        }
        await checkServer(change.queries, next);
        requireWritten(await updateServer(change.queries, next, expectedVersion));
        change.audit('server.change', `server:${next.id}`, { fields: Object.keys(body) });
        change.touch([next.zone]);
        const accounts =
          next.protocol === 'ssh'
            ? await accountsWithout(change.queries, next.id, current.certificates, next.certificates)
            : [];
        return accounts.length === 0 ? next : { ...next, warnings: [notLearned(accounts)] };
      });
    },
  }),
  operation({
    route: 'DELETE /v1/servers/{id}',
    summary: 'Delete a server',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const current = found(await findServer(change.queries, params.id), 'server');
        requireZones(caller, [current.zone]);
        requireWritten(await deleteServer(change.queries, params.id, expectedVersion));
        await deleteHostKeyReceipts(change.queries, params.id);
        change.audit('server.delete', `server:${current.id}`, { name: current.name });
        change.touch([current.zone]);
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
  operation({
    route: 'GET /v1/servers/{id}/known-hosts',
    summary: 'The current host keys of an SSH server, as lines of an OpenSSH known_hosts file',
    params: idParams,
    query: z.strictObject({
      host: host.optional(),
      port: z.coerce.number().int().min(1).max(65_535).optional(),
    }),
    answers: 'text',
    async run(deps, { params, query, caller }) {
      const row = found(await findServer(deps.store.queries, params.id), 'server');
      requireZones(caller, [row.zone]);
      if (row.protocol !== 'ssh')
        return refuseField('invalid-request', '/id', 'only an SSH server has host keys');
      const name = query.host ?? row.host;
      if (name === '0.0.0.0' || name === '::') {
        return refuseField(
          'invalid-request',
          'query/host',
          'the server binds every address: name the host clients use',
        );
      }
      const lines: string[] = [];
      for (const id of row.certificates) {
        const certificate = await findCertificate(deps.store.queries, id);
        if (!certificate) continue;
        lines.push(knownHostsLine(name, query.port ?? row.port, storedSshBlob(certificate)));
      }
      return ok({ body: lines.map((line) => `${line}\n`).join('') });
    },
  }),
];
