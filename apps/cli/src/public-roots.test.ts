import { rootCertificates } from 'node:tls';
import { createClient } from '@sallyport/client';
import { startControlPlane } from '@sallyport/control-plane/node';
import { expect, test } from 'vitest';
import { embeddedInstallation } from '../../../test/api/installation.ts';
import { importPublicRoots, removePublicRoots, rootAlias } from './public-roots.ts';

test('every root that comes with Node has an alias of its own', () => {
  const aliases = rootCertificates.map(rootAlias);
  expect(new Set(aliases).size).toBe(rootCertificates.length);
  for (const alias of aliases) expect(alias).toMatch(/^public-[a-z0-9-]{1,73}$/);
});

test('public roots are trusted when they are asked for, once, and are taken back alone', async () => {
  const { environment, apiToken } = await embeddedInstallation();
  const plane = await startControlPlane(environment, { host: '127.0.0.1', port: 0 });
  try {
    const api = createClient({ url: plane.url, token: apiToken });
    expect(await api.certificates.list({ kind: 'trusted' })).toEqual([]);
    const [own = '', ...roots] = rootCertificates.slice(0, 6);
    await api.certificates.create({ source: 'import', kind: 'trusted', alias: 'chosen', text: own });
    const first = await importPublicRoots(api, [own, ...roots]);
    expect(first).toMatchObject({ added: roots.map(rootAlias), present: [rootAlias(own)], refused: [] });
    expect(await importPublicRoots(api, roots)).toMatchObject({ added: [], present: roots.map(rootAlias) });
    const { removed, inUse } = await removePublicRoots(api);
    expect([removed.toSorted(), inUse]).toEqual([roots.map(rootAlias).toSorted(), []]);
    expect((await api.certificates.list({ kind: 'trusted' })).map(({ alias }) => alias)).toEqual(['chosen']);
  } finally {
    await plane.close();
  }
});
