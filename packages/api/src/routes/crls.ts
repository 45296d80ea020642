import { fromBase64 } from '@sallyport/bytes';
import { type Fault, FaultError, ok, type Result } from '@sallyport/faults';
import { type CrlState, crlState, crlUpload } from '@sallyport/model';
import {
  type CertificateRow,
  certificatesOfKinds,
  deleteCrl,
  findCrlFacts,
  findCrlFetch,
  type Queries,
} from '@sallyport/store';
import { z } from 'zod';
import { actorOf, type Caller } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { fetchCrl } from '../domain/crl-fetch.ts';
import { hasEnded, putCrl, requireForeignCa, verifyCrl } from '../domain/crl-intake.ts';
import { checksCrl } from '../domain/crl-rules.ts';
import { currentCrl } from '../domain/own-crl.ts';
import { type Answer, operation } from '../operation.ts';
import { changeAnswer, changed, commit, found, idParams, requireVersion } from './answers.ts';
import { requireCertificate } from './certificates.ts';

/** A list of 8 MiB in JSON, and what is around it. */
const mostJsonBytes = 11_200_000;
const mostFileBytes = 8 * 1_048_576;
/** How long the list of a CA of ours may lie in a cache, in seconds. */
const cacheSeconds = 300;

async function stateOf(queries: Queries, ca: CertificateRow, now: number): Promise<CrlState> {
  const list = await findCrlFacts(queries, ca.id);
  const fetched = await findCrlFetch(queries, ca.id);
  return {
    ca: ca.id,
    revocation: ca.revocation ?? 'none',
    onStaleCrl: ca.onStaleCrl ?? 'accept-with-alarm',
    ...(ca.crlUrl === null ? {} : { crlUrl: ca.crlUrl }),
    ...(list
      ? {
          list: {
            source: list.source,
            number: list.number,
            thisUpdate: list.thisUpdate,
            ...(list.nextUpdate === null ? {} : { nextUpdate: list.nextUpdate }),
            entries: list.entries,
            sha256: list.sha256,
            storedAt: list.storedAt,
            stale: hasEnded(list, now),
          },
        }
      : {}),
    ...(fetched
      ? {
          fetch: {
            triedAt: fetched.triedAt,
            nextAt: fetched.nextAt,
            ...(fetched.failure === null ? {} : { failure: fetched.failure }),
          },
        }
      : {}),
    version: ca.version,
  };
}

/** The CA whose lists come from outside, where the caller may change trust. */
async function requireListedCa(queries: Queries, caller: Caller, id: string): Promise<CertificateRow> {
  const ca = await requireCertificate(queries, caller, id);
  requireForeignCa(ca);
  return ca;
}

const changedState = crlState.extend(changed);

/** @param pointer field that the file came in; absent where it is the whole body */
async function upload(
  deps: Dependencies,
  caller: Caller,
  id: string,
  file: Uint8Array,
  pointer?: string,
): Promise<Result<Answer<z.input<typeof changedState>>>> {
  const ca = await requireListedCa(deps.store.queries, caller, id);
  const onField = (fault: Fault): Fault =>
    pointer === undefined ? fault : { ...fault, fields: [{ pointer, detail: fault.detail ?? fault.code }] };
  const list = await verifyCrl(ca, file, deps.now()).catch((error: unknown) => {
    throw error instanceof FaultError ? new FaultError(onField(error.fault)) : error;
  });
  const committed = await commit(deps, caller, async (change) => {
    const current = await requireListedCa(change.queries, caller, id);
    await putCrl(change, current, list, 'uploaded', deps.now());
    return stateOf(change.queries, current, deps.now());
  });
  if (!committed.ok) return { ok: false, fault: onField(committed.fault) };
  const { value, changeSequence } = committed.value;
  return ok({ body: { ...value, changeSequence }, version: value.version });
}

/** A CA of ours by the name of its list's file: its id or alias and `.crl`. */
async function internalCaNamed(queries: Queries, file: string): Promise<CertificateRow | undefined> {
  const name = file.slice(0, -'.crl'.length);
  const rows = await certificatesOfKinds(queries, ['internal-ca']);
  return rows.find(({ id }) => id === name) ?? rows.find(({ alias }) => alias === name);
}

export const crlOperations = [
  operation({
    route: 'GET /v1/certificates/{id}/crl',
    summary: 'Show what is known of a CA’s revocation list',
    params: idParams,
    answers: crlState,
    async run(deps, { params, caller }) {
      const ca = await requireCertificate(deps.store.queries, caller, params.id);
      if (ca.kind !== 'internal-ca') requireForeignCa(ca);
      const state = await stateOf(deps.store.queries, ca, deps.now());
      return ok({ body: state, version: state.version });
    },
  }),
  operation({
    route: 'PUT /v1/certificates/{id}/crl',
    summary: 'Put a CA’s revocation list in force: the file itself, PEM or DER',
    params: idParams,
    body: 'bytes',
    answers: changedState,
    maxBodyBytes: mostFileBytes,
    run: (deps, { params, body, caller }) => upload(deps, caller, params.id, body),
  }),
  operation({
    route: 'POST /v1/certificates/{id}/crl',
    summary: 'Put a CA’s revocation list in force: the file in base64, in JSON',
    params: idParams,
    body: crlUpload,
    answers: changedState,
    maxBodyBytes: mostJsonBytes,
    run: (deps, { params, body, caller }) => upload(deps, caller, params.id, fromBase64(body.data), '/data'),
  }),
  operation({
    route: 'DELETE /v1/certificates/{id}/crl',
    summary: 'Forget a CA’s revocation list, and with it which number it had',
    params: idParams,
    answers: changeAnswer,
    precondition: 'if-match',
    async run(deps, { params, caller, expectedVersion }) {
      const committed = await commit(deps, caller, async (change) => {
        const ca = await requireListedCa(change.queries, caller, params.id);
        requireVersion(ca, expectedVersion);
        const held = found(await findCrlFacts(change.queries, ca.id), 'revocation list');
        await deleteCrl(change.queries, ca.id);
        change.audit('crl.delete', `certificate:${ca.id}`, { alias: ca.alias, number: held.number });
        if (checksCrl(ca)) change.touch('all');
      });
      return committed.ok ? ok({ body: { changeSequence: committed.value.changeSequence } }) : committed;
    },
  }),
  operation({
    route: 'POST /v1/certificates/{id}/crl/fetch',
    summary: 'Fetch a CA’s revocation list from its URL now',
    params: idParams,
    answers: crlState,
    async run(deps, { params, caller }) {
      const ca = await requireListedCa(deps.store.queries, caller, params.id);
      if (ca.crlUrl === null) {
        const detail = `${ca.alias} has no crlUrl`;
        throw new FaultError({ code: 'invalid-request', detail });
      }
      await fetchCrl(deps, ca, actorOf(caller));
      const state = await stateOf(deps.store.queries, ca, deps.now());
      return ok({ body: state, version: state.version });
    },
  }),
  operation({
    route: 'GET /v1/crl/{file}',
    summary: 'Download the revocation list of an internal CA, by its id or alias: `internal-ca.crl` (DER)',
    params: z.strictObject({ file: z.string().regex(/^[A-Za-z0-9_-]{1,80}\.crl$/) }),
    answers: 'bytes',
    async run(deps, { params }) {
      const ca = found(await internalCaNamed(deps.store.queries, params.file), 'internal CA');
      const list = found(await currentCrl(deps, ca), 'revocation list: this CA signs none');
      return ok({
        body: list.der,
        headers: {
          'content-type': 'application/pkix-crl',
          'cache-control': `public, max-age=${cacheSeconds}`,
          'last-modified': new Date(list.storedAt).toUTCString(),
          etag: `"${list.sha256}"`,
        },
      });
    },
  }),
];
