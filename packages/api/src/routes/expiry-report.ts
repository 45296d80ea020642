import { ok } from '@sallyport/faults';
import { time, timeSpan } from '@sallyport/model';
import { z } from 'zod';
import { reachOf } from '../caller.ts';
import { expiryItem, expiryReport } from '../domain/expiry-report.ts';
import { operation } from '../operation.ts';

export const expiryReportOperations = [
  operation({
    route: 'GET /v1/certificates/expiry-report',
    summary: 'What ends soon, the widest blast radius first: what stops, where and for whom',
    query: z.strictObject({ within: timeSpan.default(30 * 86_400_000) }),
    answers: z.strictObject({ until: time, items: z.array(expiryItem) }),
    async run(deps, { query, caller }) {
      const now = deps.now();
      const until = now + query.within;
      const items = await deps.store.read((queries) => expiryReport(queries, reachOf(caller), now, until));
      return ok({ body: { until: new Date(until).toISOString(), items } });
    },
  }),
];
