import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { generateSigningKey } from '@sallyport/snapshot';
import { beforeAll, expect, test } from 'vitest';
import { loadSecrets, loadSettings, variableNames } from './secrets.ts';

let secrets: Record<string, string>;
beforeAll(async () => {
  secrets = {
    SALLYPORT_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    SALLYPORT_SNAPSHOT_KEY: JSON.stringify(await generateSigningKey()),
    SALLYPORT_TIMESTAMP_KEY: JSON.stringify(await generateSigningKey()),
  };
});

test('secrets become keys that work', async () => {
  const { keys, signers } = await loadSecrets({ ...secrets, PATH: '/bin' });
  expect([signers.snapshot.length, signers.timestamp.length]).toEqual([1, 1]);
  const secret = new Uint8Array([1, 2, 3]);
  expect(await keys.unwrap('a', await keys.wrap('a', secret))).toEqual(secret);
});

test.each([
  ['SALLYPORT_KEY_ENCRYPTION_KEY', undefined],
  ['SALLYPORT_KEY_ENCRYPTION_KEY', 'c2hvcnQgc2VjcmV0'],
  ['SALLYPORT_SNAPSHOT_KEY', '{"kty":"OKP"'],
  ['SALLYPORT_SNAPSHOT_KEY', '{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"very secret"}'],
  ['SALLYPORT_TIMESTAMP_KEY', ''],
])('%s that is %s is named, and its value is not', async (name, value) => {
  const loading = loadSecrets({ ...secrets, [name]: value });
  const error = await loading.then(
    () => new Error('accepted'),
    (thrown: Error) => thrown,
  );
  expect(error.message).toBe(`missing or malformed secret: ${name}; sallyport init prints them`);
});

test('settings: the database is needed, the public URL has no slash at its end', () => {
  const SALLYPORT_DATABASE_URL = 'file:a.db';
  expect(loadSettings({ SALLYPORT_DATABASE_URL, HOME: '/' })).toEqual({ SALLYPORT_DATABASE_URL });
  expect(loadSettings({ SALLYPORT_DATABASE_URL, SALLYPORT_PUBLIC_URL: 'https://a.example/b//' })).toEqual({
    SALLYPORT_DATABASE_URL,
    SALLYPORT_PUBLIC_URL: 'https://a.example/b',
  });
  expect(() => loadSettings({})).toThrow('missing or malformed setting: SALLYPORT_DATABASE_URL');
  for (const SALLYPORT_PUBLIC_URL of ['a.example', 'ftp://a.example', '']) {
    expect(() => loadSettings({ SALLYPORT_DATABASE_URL, SALLYPORT_PUBLIC_URL })).toThrow(
      'SALLYPORT_PUBLIC_URL',
    );
  }
});

test('the Workers deployment names every variable, and the value of no secret', () => {
  const deployed = readFileSync(resolve(import.meta.dirname, '../../../wrangler.toml'), 'utf8');
  for (const name of variableNames) expect(deployed).toContain(name);
  const set = [...deployed.matchAll(/^(SALLYPORT_\w+)\s*=/gm)].map(([, name]) => name);
  expect(set).toEqual(['SALLYPORT_DATABASE_URL', 'SALLYPORT_PUBLIC_URL']);
});
