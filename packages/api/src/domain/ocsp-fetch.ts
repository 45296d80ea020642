import { equalConstantTime, fromBase64, toBase64 } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import {
  issuedBy,
  type OcspAnswer,
  ocspRequest,
  type ParsedCertificate,
  parseCertificate,
  verifyOcspResponse,
} from '@sallyport/pki';
import {
  allServers,
  type CertificateRow,
  certificatesOfKinds,
  claimOcsp,
  findCertificates,
  type OcspRow,
  ocspRowsOf,
  type Queries,
  saveOcsp,
} from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { claimMs, iso, mostPerRun, renewalPauseMs, soonestMs, timer } from './fetch-schedule.ts';
import { downloadList } from './list-download.ts';
import { publishTouched } from './publish.ts';
import { leastStoredRsaBits, storedLeaf } from './stored-certificate.ts';

/** Certificates that TLS servers present, which name a responder or may. */
async function presented(queries: Queries): Promise<CertificateRow[]> {
  const servers = (await allServers(queries)).filter(({ protocol }) => protocol !== 'ssh');
  const rows = await findCertificates(queries, [
    ...new Set(servers.flatMap(({ certificates }) => certificates)),
  ]);
  return rows.filter(({ form, revokedAt }) => form === 'x509' && revokedAt === null);
}

const isDue = (row: CertificateRow, known: OcspRow | undefined, now: string): boolean =>
  known === undefined || known.sha256 !== row.sha256 || (known.nextAt !== null && known.nextAt <= now);

/** Asks the responders whose answers are missing or due, one after another: from the platform's timer. */
export async function fetchDueOcsp(deps: Dependencies): Promise<void> {
  const rows = await presented(deps.store.queries);
  const known = new Map(
    (
      await ocspRowsOf(
        deps.store.queries,
        rows.map(({ id }) => id),
      )
    ).map((row) => [row.certificate, row]),
  );
  const now = iso(deps.now());
  const due = rows.filter((row) => isDue(row, known.get(row.id), now));
  for (const row of due.slice(0, mostPerRun)) {
    try {
      await fetchOcsp(deps, row, known.get(row.id));
    } catch (error) {
      deps.log(`the OCSP status of ${row.alias} was not fetched`, error);
    }
  }
}

/** The CA that signed a certificate: the next of its chain, else one of the inventory. */
async function issuerOf(
  queries: Queries,
  row: CertificateRow,
  leaf: ParsedCertificate,
): Promise<ParsedCertificate | undefined> {
  const cas = await certificatesOfKinds(queries, ['trusted', 'internal-ca']);
  const candidates = [
    ...row.chain.slice(1, 2),
    ...cas
      .filter(({ form, subject }) => form === 'x509' && subject === row.issuer)
      .map((ca) => ca.chain[0] ?? ''),
  ];
  for (const der of candidates) {
    const parsed = parseCertificate(fromBase64(der), leastStoredRsaBits);
    if (parsed.ok && (await issuedBy(leaf, parsed.value))) return parsed.value;
  }
  return undefined;
}

type Attempt =
  | { readonly kind: 'good'; readonly answer: OcspAnswer; readonly response: OcspRow['response'] }
  /** `revoked`: said by the responder, and well signed. */
  | { readonly kind: 'bad'; readonly failure: string; readonly revoked?: true }
  | { readonly kind: 'no-responder' };

async function ask(deps: Dependencies, row: CertificateRow): Promise<Attempt> {
  const certificate = storedLeaf(row);
  if (certificate.ocspUrl === undefined) return { kind: 'no-responder' };
  const issuer = await issuerOf(deps.store.queries, row, certificate);
  if (!issuer) return { kind: 'bad', failure: 'the CA that signed it is not known here' };
  try {
    // RFC 6960 appendix A.1: small questions are asked by GET, which caches of the responder answer.
    const question = encodeURIComponent(toBase64(await ocspRequest(certificate, issuer)));
    const url = `${certificate.ocspUrl.replace(/\/$/, '')}/${question}`;
    const response = await downloadList(deps.lists, url);
    const now = new Date(deps.now());
    const answer = unwrap(await verifyOcspResponse(response, { certificate, issuer, now }));
    if (answer.status === 'good') return { kind: 'good', answer, response };
    const failure = `the responder says ${answer.status}`;
    return answer.status === 'revoked' ? { kind: 'bad', failure, revoked: true } : { kind: 'bad', failure };
  } catch (error) {
    if (!(error instanceof FaultError) || error.fault.code === 'internal') throw error;
    return { kind: 'bad', failure: (error.fault.detail ?? error.fault.code).slice(0, 500) };
  }
}

/**
 * Asks the responder of a certificate and keeps a good answer, for its servers to staple. An answer that is bad, late
 * or says that the certificate is revoked is never kept; the good one before it is, until its end, unless the
 * certificate is revoked. The first failure, a change of its reason and the end of what was stapled are audited.
 */
async function fetchOcsp(
  deps: Dependencies,
  row: CertificateRow,
  before: OcspRow | undefined,
): Promise<void> {
  const started = deps.now();
  const nothing: OcspRow = {
    certificate: row.id,
    sha256: row.sha256,
    triedAt: iso(started),
    nextAt: null,
    failure: null,
    nextUpdate: null,
    response: null,
  };
  const claimed = await deps.store.record((queries) =>
    claimOcsp(queries, nothing, before, iso(started + claimMs)),
  );
  if (!claimed) return;
  const attempt = await ask(deps, row);
  const held = before?.sha256 === row.sha256 ? before : undefined;
  const next = rowAfter(attempt, nothing, held, deps.now());
  const failed = next.failure !== null && next.failure !== held?.failure;
  const changed = !sameResponse(next.response, before?.response ?? null);
  if (!failed && !changed) {
    await deps.store.record((queries) => saveOcsp(queries, next));
    return;
  }
  const committed = await deps.store.change(timer, async (change) => {
    await saveOcsp(change.queries, next);
    const action = failed ? 'ocsp.failed' : next.response ? 'ocsp.fetched' : 'ocsp.dropped';
    const { failure, nextUpdate } = next;
    change.audit(action, `certificate:${row.id}`, {
      alias: row.alias,
      ...(failure === null ? {} : { failure }),
      ...(nextUpdate === null ? {} : { nextUpdate }),
    });
    if (changed) change.touch(row.zones);
  });
  if (!committed.ok) throw new FaultError(committed.fault);
  const { touched } = committed.value;
  if (touched.length > 0) deps.defer(() => publishTouched(deps, touched));
}

function rowAfter(attempt: Attempt, nothing: OcspRow, held: OcspRow | undefined, now: number): OcspRow {
  switch (attempt.kind) {
    case 'no-responder':
      return nothing;
    case 'good': {
      const { nextUpdate } = attempt.answer;
      return {
        ...nothing,
        response: attempt.response,
        nextUpdate: nextUpdate.toISOString(),
        nextAt: iso(now + renewalPauseMs(nextUpdate.getTime() - now)),
      };
    }
    case 'bad': {
      const keeps = !attempt.revoked && held?.nextUpdate != null && Date.parse(held.nextUpdate) > now;
      return {
        ...nothing,
        failure: attempt.failure,
        nextAt: iso(now + soonestMs),
        ...(keeps ? { response: held.response, nextUpdate: held.nextUpdate } : {}),
      };
    }
  }
}

const sameResponse = (a: OcspRow['response'], b: OcspRow['response']): boolean =>
  a === null || b === null ? a === b : equalConstantTime(a, b);
