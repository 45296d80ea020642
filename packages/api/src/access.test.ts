import { explicitScopes } from '@sallyport/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { access } from './access.ts';
import { createApi } from './app.ts';
import { type InProcess, inProcess } from './fixture/in-process.ts';
import { operations } from './operations.ts';

let plane: InProcess & { close(): void };
beforeAll(async () => {
  plane = await inProcess();
});
afterAll(() => plane.close());

const rows = Object.keys(access).sort();

test('every row of the access table has its route, and every route its row', () => {
  expect(operations.map(({ route }) => route).sort()).toEqual(rows);
});

test('nothing is served that the table does not know, but the document', () => {
  const served = createApi(plane.deps).routes.map(
    ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
  );
  expect(served.filter((route) => route !== 'GET /v1/openapi.json').sort()).toEqual(rows);
});

test('the document describes every row and no other', async () => {
  const { paths } = (await plane.call('GET /v1/openapi.json')).body;
  const described = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(rows);
});

test('only what a caller cannot be known for is open to anyone', () => {
  const open = Object.entries(access).filter(([, row]) => row.by === 'anyone');
  expect(open.map(([route]) => route)).toEqual([
    'GET /v1/health',
    'GET /v1/crl/{file}',
    'POST /v1/node/join',
  ]);
});

test('what reads needs a reading scope, what writes a writing one, and some a scope that is granted by name alone', () => {
  for (const [route, row] of Object.entries(access)) {
    if (route === 'POST /v1/certificates/validate') continue;
    if (row.by !== 'token' || (explicitScopes as readonly string[]).includes(row.scope)) continue;
    expect([route, row.scope.split(':')[1]]).toEqual([route, route.startsWith('GET ') ? 'read' : 'write']);
  }
});
