import { ok, refuseField } from '@sallyport/faults';
import { keyTypes } from '@sallyport/model';
import { findServer, hostKeyReceiptsOf } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { receiptsByAccount, serverHostKeys } from '../domain/host-key-receipts.ts';
import { operation } from '../operation.ts';
import { found, idParams, page, pageQuery } from './answers.ts';

const receipts = z.strictObject({
  /** Host keys of now; the first of each type is in use. */
  keys: z.array(
    z.strictObject({
      certificate: z.string(),
      fingerprint: z.string(),
      type: z.enum(keyTypes),
      inUse: z.boolean(),
    }),
  ),
  items: z.array(
    z.strictObject({
      account: z.string(),
      known: z.array(z.strictObject({ fingerprint: z.string(), firstAt: z.string(), lastAt: z.string() })),
      /** Keys of now that no client of the account has shown to know. */
      missing: z.array(z.string()),
    }),
  ),
  nextCursor: z.string().optional(),
});

export const hostKeyOperations = [
  operation({
    route: 'GET /v1/servers/{id}/host-key-receipts',
    summary: 'Which accounts’ clients have shown that they know which host key of an SSH server',
    params: idParams,
    query: z.strictObject({ ...pageQuery, cursor: z.string().max(80).optional() }),
    answers: receipts,
    async run(deps, { params, query, caller }) {
      const { queries } = deps.store;
      const server = found(await findServer(queries, params.id), 'server');
      requireZones(caller, [server.zone]);
      if (server.protocol !== 'ssh')
        return refuseField('invalid-request', '/id', 'only an SSH server has host keys');
      const keys = await serverHostKeys(queries, server.certificates);
      const accounts = [...receiptsByAccount(await hostKeyReceiptsOf(queries, server.id, query.cursor))];
      const rows = accounts.map(([account, all]) => ({
        account,
        known: all.map(({ fingerprint, firstAt, lastAt }) => ({ fingerprint, firstAt, lastAt })),
        missing: keys
          .map(({ fingerprint }) => fingerprint)
          .filter((fingerprint) => !all.some((receipt) => receipt.fingerprint === fingerprint)),
      }));
      return ok({ body: { keys, ...page(rows, query.limit, (row) => row.account) } });
    },
  }),
];
