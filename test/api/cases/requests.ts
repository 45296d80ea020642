import { expect, test } from 'vitest';
import { expectProblem, type World } from '../world.ts';

/** Requests that no operation should see. */
export function requestCases({ call, unique, admin }: World): void {
  const post = (body: unknown, headers = {}) => call('POST /v1/zones', { body, headers });

  test('it is healthy, and says so to anyone', async () => {
    const answer = await call('GET /v1/health', { token: null });
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test.each(['{', '{"name":}', 'undefined', '', '{"name":"a"} x'])('malformed JSON: %j', async (body) => {
    expectProblem(await post(body, { 'content-type': 'application/json' }), 400, 'malformed-json');
  });

  test('bytes that are no UTF-8', async () => {
    const body = new Uint8Array([0x22, 0xff, 0x22]);
    const answer = await call('POST /v1/zones', {
      body: new TextDecoder('latin1').decode(body),
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    expectProblem(answer, 422, 'invalid-request', '');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json-seq'])(
    'another media type: %s',
    async (type) => {
      expectProblem(
        await post({ name: unique('zone'), kind: 'internal' }, { 'content-type': type }),
        415,
        'unsupported-media-type',
      );
    },
  );

  test('a body larger than the bound, however it is sent', async () => {
    const large = JSON.stringify({ name: unique('zone'), kind: 'internal', more: 'x'.repeat(300_000) });
    expectProblem(await post(large), 413, 'body-too-large');
    expect((await call('GET /v1/health')).status).toBe(200);
  });

  test('a body where there is none', async () => {
    expectProblem(
      await call('POST /v1/certificates/none/revoke', { body: {}, version: 1 }),
      422,
      'invalid-request',
    );
  });

  test('unknown fields and wrong types are named by JSON pointers, and nothing is made', async () => {
    const name = unique('zone');
    expectProblem(await post({ name, kind: 'internal', colour: 'red' }), 422, 'invalid-request', '/colour');
    expectProblem(await post({ name, kind: 'lunar' }), 422, 'invalid-request', '/kind');
    expectProblem(await post({ name: 7, kind: 'edge' }), 422, 'invalid-request', '/name');
    expectProblem(await post({ name: 'No Alias', kind: 'edge' }), 422, 'invalid-request', '/name');
    expectProblem(await post({ kind: 'edge' }), 422, 'invalid-request', '/name');
    expectProblem(
      await post({ name, kind: 'edge', snapshot: { timestampSeconds: 1, 'a/b~c': 1 } }),
      422,
      'invalid-request',
      '/snapshot/timestampSeconds',
      '/snapshot/a~1b~0c',
    );
    expectProblem(
      await post('{"__proto__":{"name":"x"},"kind":"edge"}'),
      422,
      'invalid-request',
      '/name',
      '/__proto__',
    );
    for (const whole of ['[]', 'null', '"text"', '3']) {
      expectProblem(await post(whole), 422, 'invalid-request', '');
    }
    expect((await admin().zones.list()).some((zone) => zone.name === name)).toBe(false);
  });

  test('text that would not come back as it went in', async () => {
    expectProblem(await post('{"name":"a\\u0000b","kind":"edge"}'), 422, 'invalid-request', '/name');
    expectProblem(await post('{"name":"a","kind":{"x":["\\ud800"]}}'), 422, 'invalid-request', '/kind/x/0');
    expectProblem(await post(`{"\\udfff":1,"kind":"edge"}`), 422, 'invalid-request', '');
  });

  test('nesting without end', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { status } = await post(deep);
    expect([400, 422]).toContain(status);
    expect((await call('GET /v1/health')).status).toBe(200);
  });

  test('unknown, repeated and unfit query parameters', async () => {
    expectProblem(await call('GET /v1/zones?colour=red'), 422, 'invalid-request', 'query/colour');
    expectProblem(await call('GET /v1/zones?limit=1&limit=2'), 422, 'invalid-request', 'query/limit');
    expectProblem(await call('GET /v1/zones?limit=0'), 422, 'invalid-request', 'query/limit');
    expectProblem(await call('GET /v1/zones?limit=501'), 422, 'invalid-request', 'query/limit');
    expectProblem(await call('GET /v1/zones?limit=x'), 422, 'invalid-request', 'query/limit');
    expectProblem(await call('GET /v1/login-settings?x=1'), 422, 'invalid-request', 'query/x');
  });

  test('an id that can be none', async () => {
    expectProblem(await call('GET /v1/zones/a%00b'), 422, 'invalid-request', 'path/id');
    expectProblem(await call(`GET /v1/zones/${'x'.repeat(65)}`), 422, 'invalid-request', 'path/id');
    expectProblem(await call('GET /v1/zones/..%2ftokens'), 422, 'invalid-request', 'path/id');
  });

  test('a path that is not there, and a method that it does not take', async () => {
    expectProblem(await call('GET /v1/nothing'), 404, 'not-found');
    expectProblem(await call('GET /'), 404, 'not-found');
    const answer = await call('DELETE /v1/zones');
    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  test.each([
    ['none', {}],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['no token of ours', { authorization: 'Bearer abc' }],
    ['a token that nobody has', { authorization: `Bearer sly_${'A'.repeat(43)}` }],
  ])('credentials: %s', async (_what, headers) => {
    const answer = await call('GET /v1/zones', { token: null, headers });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  test('who may not ask has nothing of the request judged', async () => {
    expectProblem(await call('POST /v1/zones', { token: null, body: '{' }), 401, 'unauthenticated');
  });
}
