import type { Outgoing } from '../exchange.ts';
import { sendRefusal } from '../problem.ts';
import { pageHeaders } from '../security-headers.ts';

/** Answers with a page of ours. A body that is still on its way is dealt with as for a refusal. */
export function sendPage(
  outgoing: Outgoing,
  status: number,
  markup: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = outgoing.req.method === 'HEAD' ? '' : markup;
  sendRefusal(
    outgoing,
    status,
    { ...pageHeaders, 'Content-Length': String(Buffer.byteLength(markup)), ...headers },
    body,
  );
}
