import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { Incoming } from './exchange.ts';
import { readText } from './small-body.ts';

/** A body that begins with these bytes. */
function bodyOf(bytes: string | Uint8Array, end: 'ends' | 'goes on'): Incoming {
  const body = new PassThrough();
  body.write(bytes);
  if (end === 'ends') body.end();
  return Object.assign(body, { complete: end === 'ends' }) as unknown as Incoming;
}

it.each([
  ['whole', bodyOf('täxt', 'ends'), { ok: true, value: 'täxt' }],
  ['too large', bodyOf('x'.repeat(11), 'goes on'), { ok: false, fault: { code: 'body-too-large' } }],
  ['not UTF-8', bodyOf(Uint8Array.of(0xff), 'ends'), { ok: false, fault: { code: 'message-malformed' } }],
  ['without an end', bodyOf('x', 'goes on'), { ok: false, fault: { code: 'transfer-cut' } }],
])('a body that is %s', async (_, body, result) => {
  expect(await readText(body, 10, 50)).toMatchObject(result);
});
