import { FaultError, ok } from '@sallyport/faults';
import {
  type ChainValidationRequest,
  chainValidation,
  chainValidationRequest,
  type Revocation,
  revocation,
  revocationRequest,
  revokedCertificate,
} from '@sallyport/model';
import {
  type CertificateRow,
  findCertificate,
  listRevocations,
  type Queries,
  type RevocationRow,
} from '@sallyport/store';
import { z } from 'zod';
import { type Caller, reaches, reachOf, requireZones } from '../caller.ts';
import { renewOwnCrls } from '../domain/own-crl.ts';
import { resolveTarget, revocationZones, revoke, withSameKeys } from '../domain/revoke.ts';
import { readChainFile, storedChain, validateChain } from '../domain/validate-chain.ts';
import { operation } from '../operation.ts';
import { asked, changed, commit, found, page, pageOf, pageQuery } from './answers.ts';
import { refuseInternalCa, zonesOf } from './certificates.ts';

const revocationView = ({ sha256, spkiSha256, at, reason, serial, zones }: RevocationRow): Revocation => ({
  sha256,
  spkiSha256,
  at,
  reason: reason ?? 'unspecified',
  ...(serial === null ? {} : { serial }),
  ...(zones === null ? {} : { zones }),
});

/**
 * A revocation holds for the key, wherever it is registered, and a public key is no secret: who does not reach all of
 * its places could lock others out.
 */
async function requireReach(queries: Queries, caller: Caller, row: CertificateRow): Promise<void> {
  const zones = await zonesOf(queries, row);
  const reached = zones === 'all' ? reachOf(caller) === '*' : zones.every((zone) => reaches(caller, zone));
  if (!reached) {
    const detail = 'the key is in use where this token does not reach, or is not registered';
    throw new FaultError({ code: 'forbidden', detail });
  }
}

async function chainFileOf(queries: Queries, caller: Caller, request: ChainValidationRequest) {
  if (request.id === undefined) return readChainFile(request);
  const row = found(await findCertificate(queries, request.id), 'certificate');
  const zones = await zonesOf(queries, row);
  if (zones !== 'all') requireZones(caller, zones);
  return storedChain(row);
}

export const revocationOperations = [
  operation({
    route: 'POST /v1/certificates/revoke',
    summary:
      'Revoke certificates and keys, registered or not, all or none: live sessions that rest on them end',
    body: revocationRequest,
    answers: z.strictObject({
      revocations: z.array(revocation),
      /** Certificates here that are revoked by it: every one that has one of the keys. */
      certificates: z.array(revokedCertificate),
      ...changed,
    }),
    async run(deps, { body, caller }) {
      const committed = await commit(deps, caller, async (change) => {
        const { queries } = change;
        const resolved = [];
        for (const [at, target] of body.targets.entries()) {
          resolved.push(await resolveTarget(queries, target, `/targets/${at}`));
        }
        const named = resolved.flatMap(({ rows }) => rows);
        const rows = await withSameKeys(queries, named);
        for (const row of rows) {
          await requireReach(queries, caller, row);
          refuseInternalCa(row);
        }
        const unregistered = new Map(
          resolved.flatMap((target) => target.unregistered).map((one) => [one.sha256, one]),
        );
        // Whose key is registered nowhere may belong to anybody.
        if (unregistered.size > 0) requireZones(caller, 'all');
        const zones = revocationZones(caller);
        const revocations = await revoke(change, zones, rows, [...unregistered.values()], body.reason);
        return {
          revocations: revocations.map(revocationView),
          certificates: rows.map(({ id, alias }) => ({ id, alias })),
        };
      });
      if (!committed.ok) return committed;
      deps.defer(() => renewOwnCrls(deps));
      const { value, changeSequence } = committed.value;
      return ok({ body: { ...value, changeSequence } });
    },
  }),
  operation({
    route: 'GET /v1/revocations',
    summary: 'List what was revoked; nothing takes a revocation back',
    query: z.strictObject(pageQuery),
    answers: pageOf(revocation),
    async run(deps, { query, caller }) {
      const rows = await listRevocations(deps.store.queries, asked(query, caller));
      const list = page(rows, query.limit, ({ sha256 }) => sha256);
      return ok({ body: { ...list, items: list.items.map(revocationView) } });
    },
  }),
  operation({
    route: 'POST /v1/certificates/validate',
    summary: 'Say of every path from a certificate upwards whether it is accepted, and why not',
    body: chainValidationRequest,
    answers: chainValidation,
    maxBodyBytes: 524_288,
    async run(deps, { body, caller }) {
      const file = await chainFileOf(deps.store.queries, caller, body);
      const now = deps.now();
      const at = body.at === undefined ? now : Date.parse(body.at);
      return ok({ body: await validateChain(deps.store.queries, file, body.purpose, at, now) });
    },
  }),
];
