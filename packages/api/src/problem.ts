import { type Fault, faults } from '@sallyport/faults';
import { z } from 'zod';

/** RFC 9457 problem details; `fields` names what is wrong in the request, as JSON pointers. */
export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  fields: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  usedBy: z.array(z.string()).optional(),
});
export type Problem = z.infer<typeof problem>;

/** The answer to a refusal: the table's status and text, the fault's detail and fields. */
export function problemResponse(fault: Fault, headers: Record<string, string> = {}): Response {
  const row = faults[fault.code];
  const body: Problem = {
    type: `urn:sallyport:problem:${fault.code}`,
    title: row.text,
    status: row.http,
    code: fault.code,
    // An internal fault's reason is for the operator's log alone.
    ...(fault.detail === undefined || fault.code === 'internal' ? {} : { detail: fault.detail }),
    ...(fault.fields === undefined ? {} : { fields: [...fault.fields] }),
    ...(fault.usedBy === undefined ? {} : { usedBy: [...fault.usedBy] }),
  };
  return new Response(JSON.stringify(body), {
    status: row.http,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(row.http === 401 ? { 'www-authenticate': 'Bearer realm="sallyport"' } : {}),
      ...(row.http === 503 ? { 'retry-after': '1' } : {}),
      ...headers,
    },
  });
}
