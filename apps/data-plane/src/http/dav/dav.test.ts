import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answer, asAcme, ask } from '../fixture/client.ts';
import { type Certificates, makeCertificates, openStand, type Stand } from '../fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

async function runningStand(): Promise<Stand> {
  const stand = await openStand(certificates);
  await stand.apply();
  return stand;
}

type Ask = (method: string, path: string, headers?: Record<string, string>, body?: string) => Promise<Answer>;

const asking =
  (stand: Stand): Ask =>
  (method, path, headers = {}, body) =>
    ask(stand, certificates, path, {
      method,
      headers: { ...asAcme, ...headers },
      ...(body === undefined ? {} : { body }),
    });

const lockInfo =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>me &amp; you</D:owner></D:lockinfo>';
const tokenOf = (answer: Answer): string => String(answer.headers['lock-token']);

describe('WebDAV', () => {
  it('says what it can, and tells properties of one resource or of those in it', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    expect((await send('OPTIONS', '/')).headers.dav).toBe('1, 2');
    await writeFile(`${stand.home}/a&b`, '12345');
    const one = await send(
      'PROPFIND',
      '/',
      { depth: '1' },
      '<propfind xmlns="DAV:"><prop><getcontentlength/><x:own xmlns:x="urn:x"/></prop></propfind>',
    );
    expect(one.status).toBe(207);
    expect(one.text).toContain('<D:href>/a%26b</D:href>');
    expect(one.text).toContain('<D:getcontentlength>5</D:getcontentlength>');
    expect(one.text).toContain('<own xmlns="urn:x"/></D:prop><D:status>HTTP/1.1 404 Not Found');
    const endless = await send('PROPFIND', '/');
    expect([endless.status, endless.text.includes('propfind-finite-depth')]).toEqual([403, true]);
    expect((await send('PROPFIND', '/none', { depth: '0' })).status).toBe(404);
  });

  it('refuses XML that is not well-formed, has a document type, is deep or large', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    const bodies: [string, number][] = [
      ['<propfind', 400],
      ['<!DOCTYPE x [<!ENTITY a "b">]><propfind xmlns="DAV:"><allprop/></propfind>', 400],
      ['<!DOCTYPE x SYSTEM "file:///etc/passwd"><propfind xmlns="DAV:"><allprop/></propfind>', 400],
      [`${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`.slice(0, 60_000), 400],
      [`<propfind xmlns="DAV:"><prop>${'<a/>'.repeat(5_000)}</prop></propfind>`, 400],
      ['<propfind xmlns="DAV:"><prop><a:b/></prop></propfind>', 400],
      ['<propfind xmlns="DAV:">&a;</propfind>', 400],
      ['<other xmlns="DAV:"/>', 400],
      [`<propfind xmlns="DAV:"><!--${'x'.repeat(70_000)}--></propfind>`, 413],
    ];
    for (const [body, status] of bodies) {
      expect([body.slice(0, 30), (await send('PROPFIND', '/', { depth: '0' }, body)).status]).toEqual([
        body.slice(0, 30),
        status,
      ]);
    }
    expect((await send('PROPFIND', '/', { depth: '0' })).status).toBe(207);
  });

  it('sets the times that file managers set, and no property of their own', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    await writeFile(`${stand.home}/f`, 'x');
    const patch = (property: string) =>
      send(
        'PROPPATCH',
        '/f',
        {},
        `<D:propertyupdate xmlns:D="DAV:" xmlns:W="urn:schemas-microsoft-com:"><D:set><D:prop>${property}</D:prop></D:set></D:propertyupdate>`,
      );
    const set = await patch(
      '<W:Win32LastModifiedTime>Tue, 14 Nov 2023 22:13:20 GMT</W:Win32LastModifiedTime><W:Win32FileAttributes>00000020</W:Win32FileAttributes>',
    );
    expect([set.status, set.text.includes('403')]).toEqual([207, false]);
    expect((await stat(`${stand.home}/f`)).mtimeMs).toBe(1_700_000_000_000);
    const dead = await patch(
      '<D:getlastmodified>Tue, 14 Nov 2000 22:13:20 GMT</D:getlastmodified><own>x</own>',
    );
    expect(dead.text).toContain('424 Failed Dependency');
    expect(dead.text).toContain('403 Forbidden');
    expect((await stat(`${stand.home}/f`)).mtimeMs).toBe(1_700_000_000_000);
  });

  it('makes, copies, moves and deletes trees', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    expect((await send('MKCOL', '/a/')).status).toBe(201);
    expect((await send('MKCOL', '/a')).status).toBe(405);
    expect((await send('MKCOL', '/x/y')).status).toBe(409);
    expect((await send('MKCOL', '/b', {}, 'x')).status).toBe(415);
    await mkdir(`${stand.home}/a/deep`);
    await writeFile(`${stand.home}/a/deep/f`, 'content');
    const to = (path: string, more: Record<string, string> = {}) => ({
      destination: stand.url(path),
      ...more,
    });
    expect((await send('COPY', '/a', to('/b'))).status).toBe(201);
    expect(await readFile(`${stand.home}/b/deep/f`, 'utf8')).toBe('content');
    expect((await send('COPY', '/a', to('/b', { overwrite: 'F' }))).status).toBe(412);
    expect((await send('COPY', '/a', to('/c', { depth: '0' }))).status).toBe(201);
    expect(await readdir(`${stand.home}/c`)).toEqual([]);
    expect((await send('MOVE', '/b', to('/c'))).status).toBe(204);
    expect((await readdir(stand.home)).filter((name) => !name.startsWith('.')).sort()).toEqual(['a', 'c']);
    expect((await send('MOVE', '/a', to('/a/deep/z'))).status).toBe(403);
    expect((await send('COPY', '/a/deep', to('/a'))).status).toBe(403);
    expect((await send('MOVE', '/a', to('/no/z'))).status).toBe(409);
    expect((await send('MOVE', '/none', to('/z'))).status).toBe(404);
    expect((await send('DELETE', '/c')).status).toBe(204);
    expect((await send('DELETE', '/c')).status).toBe(404);
  });

  it('lets no destination lead out of the home or elsewhere', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    await writeFile(`${stand.home}/f`, 'x');
    for (const [destination, status] of [
      ['https://evil.example/g', 502],
      ['//evil.example/g', 400],
      ['/a%2f..%2f..%2fg', 400],
      ['/a%00b', 400],
      ['g', 400],
      ['/.sallyport-staging/g', 400],
      [`/${'n'.repeat(300)}`, 400],
    ] as const) {
      expect([destination, (await send('MOVE', '/f', { destination })).status]).toEqual([
        destination,
        status,
      ]);
    }
    expect((await send('MOVE', '/f', { destination: '/../../../g' })).status).toBe(201);
    expect(await readFile(`${stand.home}/g`, 'utf8')).toBe('x');
  });

  it('keeps what is locked from everybody who has not its token', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    await mkdir(`${stand.home}/d`);
    await writeFile(`${stand.home}/d/f`, 'old');
    const locked = await send('LOCK', '/d', { timeout: 'Second-100000' }, lockInfo);
    expect(locked.status).toBe(200);
    expect(locked.text).toContain('<D:timeout>Second-3600</D:timeout>');
    expect(locked.text).toContain('me &amp; you');
    const token = tokenOf(locked);
    expect((await send('LOCK', '/d/f', {}, lockInfo)).status).toBe(423);
    expect((await send('PUT', '/d/f', {}, 'new')).status).toBe(423);
    expect((await send('DELETE', '/d')).status).toBe(423);
    expect((await send('MOVE', '/d/f', { destination: '/g' })).status).toBe(423);
    expect((await send('MKCOL', '/d/e')).status).toBe(423);
    expect((await send('PUT', '/d/f', { if: '(<urn:uuid:other>)' }, 'new')).status).toBe(412);
    expect((await send('PUT', '/d/f', { if: '((' }, 'new')).status).toBe(400);
    const drop = { authorization: `Basic ${Buffer.from('drop:drop').toString('base64')}`, if: `(${token})` };
    expect((await send('PUT', '/d/g', drop, 'new')).status).toBe(423);
    expect((await send('PUT', '/d/f', { if: `(${token})` }, 'new')).status).toBe(204);
    const refreshed = await send('LOCK', '/d', { if: `(${token})`, timeout: 'Second-60' });
    expect([refreshed.status, refreshed.text.includes('Second-60')]).toEqual([200, true]);
    expect((await send('UNLOCK', '/d', { 'lock-token': '<urn:uuid:other>' })).status).toBe(409);
    expect((await send('UNLOCK', '/d', { 'lock-token': token })).status).toBe(204);
    expect((await send('PUT', '/d/f', {}, 'newer')).status).toBe(204);
  });

  it('makes an empty file of a lock on a free name, and bounds the locks of an account', async () => {
    await using stand = await runningStand();
    const send = asking(stand);
    expect((await send('LOCK', '/new', { depth: '0' }, lockInfo)).status).toBe(201);
    expect((await stat(`${stand.home}/new`)).size).toBe(0);
    expect((await send('LOCK', '/new', { depth: '1' }, lockInfo)).status).toBe(400);
    expect((await send('LOCK', '/x', {}, lockInfo.replace('exclusive', 'shared'))).status).toBe(501);
    const drop = { authorization: `Basic ${Buffer.from('drop:drop').toString('base64')}` };
    expect((await send('LOCK', '/', drop, lockInfo)).status).toBe(403);
  });
});
