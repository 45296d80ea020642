import { FaultError } from '@sallyport/faults';
import { expect, test } from 'vitest';
import { downloadList, type ListFetching } from './list-download.ts';

const asked: string[] = [];
const fetching = (
  answer: (url: URL) => Response | Promise<Response>,
  innerAddresses: ListFetching['innerAddresses'] = 'refused',
): ListFetching => ({
  innerAddresses,
  request: async (url) => {
    asked.push(url.href);
    return answer(url);
  },
});
const good = () => new Response(Uint8Array.of(1, 2, 3));
const to = (location: string) => new Response(null, { status: 302, headers: { location } });
const reasonOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'downloaded',
    (error: unknown) => (error instanceof FaultError ? [error.fault.code, error.fault.detail] : error),
  );

test('a list is downloaded, through a relative redirect too', async () => {
  expect(await downloadList(fetching(good), 'https://ca.example/a.crl')).toEqual(Uint8Array.of(1, 2, 3));
  const moved = fetching(({ pathname }) => (pathname === '/b/a.crl' ? to('c.crl') : good()));
  expect(await downloadList(moved, 'http://ca.example/b/a.crl')).toHaveLength(3);
  expect(asked.at(-1)).toBe('http://ca.example/b/c.crl');
});

test.each([
  ['ftp://ca.example/x', 'the URL is not one of http or https'],
  ['nothing', 'the URL is not one of http or https'],
  ['http://user:secret@ca.example/x', 'the URL holds credentials'],
  ['http://127.0.0.1/x', '127.0.0.1 is of this network, and that is not allowed here'],
  ['http://0x7f.1/x', '127.0.0.1 is of this network, and that is not allowed here'],
  ['http://[::1]/x', '[::1] is of this network, and that is not allowed here'],
  ['http://169.254.169.254/latest', '169.254.169.254 is of this network, and that is not allowed here'],
  ['http://localhost/x', 'localhost is of this network, and that is not allowed here'],
])('%s is asked neither first nor after a redirect', async (url, detail) => {
  const before = asked.length;
  expect(await reasonOf(downloadList(fetching(good), url))).toEqual(['crl-unreachable', detail]);
  expect(asked).toHaveLength(before);
  if (url === 'nothing') return;
  const redirecting = fetching(({ hostname }) => (hostname === 'ca.example' ? to(url) : good()));
  expect(await reasonOf(downloadList(redirecting, 'http://ca.example/'))).toEqual([
    'crl-unreachable',
    detail,
  ]);
});

test('inner addresses are asked where that is allowed', async () => {
  expect(await downloadList(fetching(good, 'allowed'), 'http://127.0.0.1/x')).toHaveLength(3);
});

test('what goes wrong is said without a word of the other side', async () => {
  const fails = fetching(() => Promise.reject(new Error('the secret of somebody')));
  expect(await reasonOf(downloadList(fails, 'http://ca.example/'))).toEqual([
    'crl-unreachable',
    'no connection',
  ]);
  const broken = () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) });
    return new Response(body);
  };
  expect(await reasonOf(downloadList(fetching(broken), 'http://ca.example/'))).toEqual([
    'crl-unreachable',
    'no connection',
  ]);
  const endless = () => {
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_048_576)) });
    return new Response(body);
  };
  expect(await reasonOf(downloadList(fetching(endless), 'http://ca.example/'))).toEqual([
    'crl-unreachable',
    'more than 8388608 bytes',
  ]);
});
