import { expect, test } from 'vitest';
import { createClient } from './client.ts';

type Sent = { method: string; url: string; headers: Record<string, string>; body: unknown };

/** A control plane that answers from a list, in its order, and remembers what it was asked. */
function answering(...answers: [status: number, body: unknown, type?: string][]) {
  const sent: Sent[] = [];
  const fetchOnce = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined;
    sent.push({ method: init.method ?? '', url, headers, body });
    const [status, answer, type = 'application/json'] = answers[sent.length - 1] ?? [500, ''];
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    return new Response(text, { status, headers: { 'content-type': type } });
  };
  const client = createClient({
    url: 'http://sallyport.test',
    token: 'sly_x',
    fetch: fetchOnce as unknown as typeof fetch,
  });
  return { client, sent };
}

test('a list follows its cursors to the end, with its filter on every page', async () => {
  const { client, sent } = answering(
    [200, { items: [1, 2], nextCursor: 'b' }],
    [200, { items: [3], nextCursor: 'c&d' }],
    [200, { items: [] }],
  );
  expect(await client.certificates.list({ kind: 'login' })).toEqual([1, 2, 3]);
  expect(sent.map(({ url }) => url)).toEqual([
    'http://sallyport.test/v1/certificates?kind=login',
    'http://sallyport.test/v1/certificates?kind=login&cursor=b',
    'http://sallyport.test/v1/certificates?kind=login&cursor=c%26d',
  ]);
  expect(sent[0]?.headers).toEqual({ authorization: 'Bearer sly_x' });
});

test('a change sends what it changes and the version it was read at', async () => {
  const { client, sent } = answering([200, { version: 4 }], [200, {}], [200, {}], [200, {}]);
  expect(await client.servers.change('srv_a', { port: 22 }, 3)).toEqual({ version: 4 });
  await client.accounts.remove('acc_a', 7);
  await client.certificates.revoke('crt_a', 2);
  await client.tokens.remove('tok_a');
  expect(
    sent.map(({ method, url, headers, body }) => [method, url.slice(21), headers['if-match'], body]),
  ).toEqual([
    ['PATCH', '/v1/servers/srv_a', '"3"', { port: 22 }],
    ['DELETE', '/v1/accounts/acc_a', '"7"', undefined],
    ['POST', '/v1/certificates/crt_a/revoke', '"2"', undefined],
    ['DELETE', '/v1/tokens/tok_a', undefined, undefined],
  ]);
});

test('a problem is thrown as the fault that it is', async () => {
  const fields = [{ pointer: '/name', detail: 'taken' }];
  const { client } = answering([
    409,
    { code: 'alias-in-use', title: 'x', detail: 'taken', fields },
    'application/problem+json',
  ]);
  await expect(client.zones.create({ name: 'a', kind: 'edge' })).rejects.toMatchObject({
    fault: { code: 'alias-in-use', detail: 'taken', fields },
  });
});

test.each([
  ['HTML of something between', 502, '<html>', 'text/html'],
  ['a code that nobody knows', 418, { code: 'teapot' }, 'application/problem+json'],
  ['a name that every object has', 500, { code: 'toString' }, 'application/problem+json'],
  ['JSON that is none', 500, '{', 'application/json'],
])('%s is a fault with the status', async (_what, status, body, type) => {
  const { client } = answering([status, body, type]);
  await expect(client.zones.list()).rejects.toMatchObject({
    fault: { code: 'internal', detail: `HTTP ${status}` },
  });
});

test('a text answer comes as text', async () => {
  const { client, sent } = answering([200, 'host ssh-ed25519 AAAA\n', 'text/plain; charset=utf-8']);
  expect(await client.servers.knownHosts('srv_a', 'a b')).toBe('host ssh-ed25519 AAAA\n');
  expect(sent[0]?.url).toBe('http://sallyport.test/v1/servers/srv_a/known-hosts?host=a%20b');
});
