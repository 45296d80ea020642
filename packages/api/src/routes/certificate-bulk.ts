import { FaultError, ok } from '@sallyport/faults';
import { type CertificateBulk, type CertificateImport, certificateBulk, id } from '@sallyport/model';
import { insertCertificates } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import type { Dependencies } from '../dependencies.ts';
import { type Admission, admit, atLine } from '../domain/admit-certificate.ts';
import { importSurroundings, readImport } from '../domain/read-import.ts';
import { operation } from '../operation.ts';
import { changed, commit } from './answers.ts';
import { auditCreation, zonesOf } from './certificates.ts';

/** How many keys one call takes. */
const mostItems = 1_000;

const imported = z.strictObject({
  id,
  alias: z.string(),
  account: id,
  sshFingerprint: z.string(),
  warnings: z.array(z.string()),
});

/** One key of the request. `prefix` points to it; `line` is its number in a pasted file. */
type Item = { readonly request: CertificateImport; readonly prefix: string; readonly line?: number };

export const certificateBulkOperations = [
  operation({
    route: 'POST /v1/certificates/bulk',
    summary: 'Import many login keys: all of them or, with a problem for each that is wrong, none',
    body: certificateBulk,
    answers: z.strictObject({ ...changed, items: z.array(imported) }),
    status: 201,
    maxBodyBytes: 4_194_304,
    async run(deps, { body, caller }) {
      const items = itemsOf(body);
      const { queries } = deps.store;
      for (const account of new Set(items.map(({ request }) => accountOf(request)))) {
        requireZones(caller, await zonesOf(queries, { kind: 'login', zones: [], account }));
      }
      const admissions = await readAll(deps, items);
      const committed = await commit(deps, caller, async (change) => {
        const warnings = await admit(change, caller, admissions);
        const rows = admissions.map(({ row }) => row);
        await insertCertificates(change.queries, rows);
        for (const [at, row] of rows.entries()) auditCreation(change, row, 'bulk', warnings[at] ?? []);
        for (const account of new Set(rows.flatMap((row) => row.account ?? []))) {
          change.touch(await zonesOf(change.queries, { kind: 'login', zones: [], account }));
        }
        return rows.map((row, at) => ({
          id: row.id,
          alias: row.alias,
          account: row.account ?? '',
          sshFingerprint: row.sshFingerprint,
          warnings: warnings[at] ?? [],
        }));
      });
      if (!committed.ok) return committed;
      return ok({ body: { items: committed.value.value, changeSequence: committed.value.changeSequence } });
    },
  }),
];

const accountOf = (request: CertificateImport): string | null =>
  'account' in request ? request.account : null;

const refused = (pointer: string, detail: string): FaultError =>
  new FaultError({ code: 'invalid-request', detail, fields: [{ pointer, detail }] });

function itemsOf({ authorizedKeys, imports }: CertificateBulk): Item[] {
  if ((authorizedKeys === undefined) === (imports === undefined)) {
    throw refused('/imports', 'give authorizedKeys or imports, one of the two');
  }
  if (imports) {
    return imports.map(({ alias, account, text, validUntil }, index) => ({
      request: { source: 'import', kind: 'login', alias, account, text, validUntil },
      prefix: `/imports/${index}`,
    }));
  }
  const { account, aliasPrefix, text } = authorizedKeys as NonNullable<typeof authorizedKeys>;
  const items = text.split(/\r\n|\n|\r/).flatMap((line, index): Item[] => {
    const isKey = line.trim() !== '' && !line.trim().startsWith('#');
    const alias = `${aliasPrefix}-${index + 1}`;
    const request = { source: 'import', kind: 'login', alias, account, text: line } as const;
    return isKey ? [{ request, prefix: '/authorizedKeys', line: index + 1 }] : [];
  });
  if (items.length === 0) throw refused('/authorizedKeys/text', 'there is no key in it');
  if (items.length > mostItems)
    throw refused('/authorizedKeys/text', `${items.length} keys; at most ${mostItems}`);
  return items;
}

/** Reads every key; throws one FaultError with a field for each that cannot be read. */
async function readAll(deps: Dependencies, items: readonly Item[]): Promise<Admission[]> {
  const surroundings = importSurroundings(deps, deps.store.queries);
  const admissions: Admission[] = [];
  const faults: FaultError[] = [];
  for (const { request, prefix, line } of items) {
    try {
      const { row, pointer } = await readImport(deps, surroundings, request, { prefix });
      admissions.push({ row, prefix, pointer, line });
    } catch (error) {
      if (!(error instanceof FaultError) || error.fault.code === 'internal') throw error;
      faults.push(atLine(error, line));
    }
  }
  const [first] = faults;
  if (!first) return admissions;
  throw new FaultError({ ...first.fault, fields: faults.flatMap(({ fault }) => fault.fields ?? []) });
}
