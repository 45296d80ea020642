import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type Asked, ask, form, signIn } from '../fixture/client.ts';
import { type Certificates, makeCertificates, openStand, type Stand } from '../fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

async function runningStand(limits: Parameters<Stand['apply']>[0] = {}): Promise<Stand> {
  const stand = await openStand(certificates);
  await stand.apply(limits);
  return stand;
}

const html = { accept: 'text/html,application/xhtml+xml' };

/** A multipart form of these parts: fields as text, files with their names. */
function multipart(
  parts: readonly { readonly name: string; readonly text: string; readonly file?: string }[],
): Asked {
  const body = parts
    .map(
      ({ name, text, file }) =>
        `--b\r\nContent-Disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n\r\n${text}\r\n`,
    )
    .join('');
  return {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: `${body}--b--\r\n`,
  };
}

describe('the page', () => {
  it('asks browsers to sign in by a form, and everybody else by Basic', async () => {
    await using stand = await runningStand();
    const page = await ask(stand, certificates, '/in/', { headers: html });
    expect([page.status, page.headers['www-authenticate']]).toEqual([401, 'Form realm="files"']);
    expect(page.text).toContain('name="to" value="/in/"');
    expect(page.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'strict-transport-security': 'max-age=31536000',
    });
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(page.text).not.toMatch(/<script>|style=|onclick|https?:\/\//);
    const fetched = await ask(stand, certificates, '/', { headers: { 'sec-fetch-mode': 'cors' } });
    expect(fetched.headers['www-authenticate']).toBe('Form realm="files"');
    const other = await ask(stand, certificates, '/');
    expect(other.headers['www-authenticate']).toBe('Basic realm="files", charset="UTF-8"');
  });

  it('signs in with a cookie that scripts and other sites never see, and out again', async () => {
    await using stand = await runningStand();
    const { answer, page, cookie, token } = await signIn(stand, certificates);
    expect([answer.status, answer.headers.location]).toEqual([303, '/']);
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^__Host-sallyport=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(page.text).toContain('Signed in as <strong>acme</strong>');
    const seen = stand.desk.sessions[0];
    const out = await ask(stand, certificates, '/.sallyport/sign-out', {
      ...form({ token }),
      headers: { ...form({}).headers, cookie },
    });
    expect(out.status).toBe(303);
    expect(seen?.closed).toBe(1);
    expect((await ask(stand, certificates, '/', { headers: { ...html, cookie } })).status).toBe(401);
  });

  it('says no more than that a sign-in failed, and ends a connection that goes on failing', async () => {
    await using stand = await runningStand();
    for (const fields of [
      { user: 'acme', password: 'no' },
      { user: 'nobody', password: 'no' },
      { user: '', password: '' },
    ]) {
      const failed = await ask(stand, certificates, '/.sallyport/sign-in', form({ ...fields, to: '/' }));
      expect([failed.status, failed.headers['set-cookie']]).toEqual([401, undefined]);
      expect(failed.text).toContain('Name or password is not right');
    }
  });

  it('leads nowhere else than to paths of its own', async () => {
    await using stand = await runningStand();
    for (const to of [
      '//evil.example/',
      'https://evil.example/',
      '/\\evil.example',
      'javascript:alert(1)',
      '/a?b',
    ]) {
      const answer = await ask(
        stand,
        certificates,
        '/.sallyport/sign-in',
        form({ user: 'acme', password: 'pâss:word', to }),
      );
      expect(answer.status).toBe(303);
      expect(answer.headers.location).toMatch(/^\/(?![/\\])/);
    }
  });

  it('ends with its session, and when nobody uses it', async () => {
    await using stand = await runningStand({ limits: { idleSeconds: 1 } });
    const first = await signIn(stand, certificates);
    stand.desk.sessions[0]?.end('account-disabled');
    expect((await ask(stand, certificates, '/', { headers: { cookie: first.cookie } })).status).toBe(401);
    const second = await signIn(stand, certificates);
    await vi.waitFor(() => expect(stand.desk.sessions[1]?.closed).toBe(1), { timeout: 10_000 });
    expect((await ask(stand, certificates, '/', { headers: { cookie: second.cookie } })).status).toBe(401);
  });

  it('changes nothing without its token, nor for another site', async () => {
    await using stand = await runningStand();
    const { cookie, token } = await signIn(stand, certificates);
    const put = (headers: Record<string, string>) =>
      ask(stand, certificates, '/f', { method: 'PUT', headers: { cookie, ...headers }, body: 'x' });
    expect((await put({})).status).toBe(403);
    expect((await put({ 'x-sallyport-token': `${token}x` })).status).toBe(403);
    expect((await put({ 'x-sallyport-token': token, origin: 'https://evil.example' })).status).toBe(403);
    expect((await put({ 'x-sallyport-token': token, 'sec-fetch-site': 'same-site' })).status).toBe(403);
    for (const [path, fields] of [
      ['folder', { directory: '/', name: 'd' }],
      ['delete', { path: '/f' }],
      ['rename', { path: '/f', name: 'g' }],
      ['sign-in', { user: 'acme', password: 'pâss:word', to: '/' }],
    ] as const) {
      const forged = await ask(stand, certificates, `/.sallyport/${path}`, {
        ...form({ ...fields }),
        headers: { ...form({}).headers, cookie, origin: 'null' },
      });
      expect([path, forged.status]).toEqual([path, 403]);
    }
    const untold = { ...multipart([{ name: 'files', file: 'f', text: 'x' }]) };
    const forged = await ask(stand, certificates, '/.sallyport/upload', {
      ...untold,
      headers: { ...untold.headers, cookie },
    });
    expect(forged.status).toBe(403);
    expect(await readdir(stand.home)).toEqual([]);
    expect((await put({ 'x-sallyport-token': token })).status).toBe(201);
  });

  it('stores the files of a form, whole and under their last names alone', async () => {
    await using stand = await runningStand();
    const { cookie, token, page } = await signIn(stand, certificates);
    // What a browser sends last it has last in its form.
    expect([...page.text.matchAll(/name="(replace|files)"/g)].map(([, name]) => name)).toEqual([
      'replace',
      'files',
    ]);
    await mkdir(`${stand.home}/in`);
    await writeFile(`${stand.home}/in/old`, 'old');
    const send = (...parts: Parameters<typeof multipart>[0]) => {
      const asked = multipart([
        { name: 'token', text: token },
        { name: 'directory', text: '/in/' },
        ...parts,
      ]);
      return ask(stand, certificates, '/.sallyport/upload', {
        ...asked,
        headers: { ...asked.headers, cookie },
      });
    };
    const sent = await send(
      { name: 'files', file: 'a.txt', text: 'A'.repeat(300_000) },
      { name: 'files', file: '../../b.txt', text: 'B' },
      { name: 'files', file: 'C:\\\\x\\\\c.txt', text: 'C' },
    );
    expect([sent.status, sent.headers.location]).toEqual([303, '/in/']);
    expect((await readdir(`${stand.home}/in`)).sort()).toEqual(['a.txt', 'b.txt', 'c.txt', 'old']);
    expect((await readFile(`${stand.home}/in/a.txt`)).length).toBe(300_000);
    const again = await send(
      { name: 'files', file: 'old', text: 'new' },
      { name: 'files', file: '..', text: 'x' },
      { name: 'files', file: 'd', text: 'D' },
    );
    expect(again.status).toBe(409);
    expect(again.text).toContain('<strong>old</strong>: The file already exists.');
    expect(await readFile(`${stand.home}/in/old`, 'utf8')).toBe('old');
    expect(await readFile(`${stand.home}/in/d`, 'utf8')).toBe('D');
    expect(
      (await send({ name: 'replace', text: 'yes' }, { name: 'files', file: 'old', text: 'new' })).status,
    ).toBe(303);
    expect(await readFile(`${stand.home}/in/old`, 'utf8')).toBe('new');
  });

  it('makes, renames and deletes, with a look before the last two', async () => {
    await using stand = await runningStand();
    const { cookie, token } = await signIn(stand, certificates);
    const act = (name: string, fields: Record<string, string>) =>
      ask(stand, certificates, `/.sallyport/${name}`, {
        ...form({ token, ...fields }),
        headers: { ...form({}).headers, cookie },
      });
    expect((await act('folder', { directory: '/', name: 'a "b"' })).status).toBe(303);
    expect((await act('folder', { directory: '/', name: 'x/y' })).status).toBe(400);
    expect((await act('folder', { directory: '/', name: '..' })).status).toBe(400);
    await writeFile(`${stand.home}/a "b"/<i>`, 'x');
    const asks = await ask(
      stand,
      certificates,
      '/.sallyport/rename?path=%2Fa%2520%2522b%2522%2F%253Ci%253E',
      {
        headers: { cookie },
      },
    );
    expect(asks.text).toContain('value="&lt;i&gt;"');
    expect((await act('rename', { path: '/a%20%22b%22/%3Ci%3E', name: 'c' })).headers.location).toBe(
      '/a%20%22b%22/',
    );
    const listed = await ask(stand, certificates, '/a%20%22b%22/', { headers: { ...html, cookie } });
    expect(listed.text).toContain('<a class="file" href="/a%20%22b%22/c">c</a>');
    expect((await act('delete', { path: '/' })).status).toBe(400);
    expect((await act('delete', { path: '/a%20%22b%22/' })).status).toBe(303);
    expect(await readdir(stand.home)).toEqual([]);
  });

  it('offers each account what it may do there, and tells it in a page what it may not', async () => {
    await using stand = await runningStand();
    const drop = { authorization: `Basic ${Buffer.from('drop:drop').toString('base64')}`, ...html };
    const page = await ask(stand, certificates, '/', { headers: drop });
    expect([page.status, page.text.includes('id="upload"'), page.text.includes('class="folder"')]).toEqual([
      200,
      true,
      false,
    ]);
    expect(page.text).toContain('not see what is here');
    const { cookie } = await signIn(stand, certificates);
    const missing = await ask(stand, certificates, '/none', { headers: { ...html, cookie } });
    expect([missing.status, missing.text.includes('No such file or directory.')]).toEqual([404, true]);
    const led = await ask(stand, certificates, '/d', { headers: { ...html, cookie } });
    expect(led.status).toBe(404);
    await mkdir(`${stand.home}/d`);
    const slash = await ask(stand, certificates, '/d', { headers: { ...html, cookie } });
    expect([slash.status, slash.headers.location]).toEqual([308, '/d/']);
  });

  it('signs a browser in by its certificate, for its page to have a token', async () => {
    await using stand = await runningStand({ clientCertificate: 'optional' });
    const alice = ['--cert', stand.file('alice.pem'), '-H', 'Accept: text/html'];
    const page = await stand.curl('/', ...alice);
    expect([page.status, page.headers.get('set-cookie')?.startsWith('__Host-sallyport=')]).toEqual([
      200,
      true,
    ]);
    const cookie = `Cookie: ${page.headers.get('set-cookie')?.split(';')[0]}`;
    expect((await stand.curl('/', '-H', cookie)).status).toBe(401);
    expect((await stand.curl('/', ...alice, '-H', cookie)).status).toBe(200);
  });

  it('takes no cookie in clear, and no form', async () => {
    await using stand = await openStand(certificates, { encryption: 'optional' });
    await stand.apply({ http: { plain: true, hsts: true } });
    const { cookie } = await signIn(stand, certificates);
    expect((await stand.curlClear('/', '-H', `Cookie: ${cookie}`)).status).toBe(401);
    const posted = await stand.curlClear('/.sallyport/sign-in', '-d', 'user=acme&password=p%C3%A2ss:word');
    expect([posted.status, posted.headers.has('set-cookie')]).toEqual([401, false]);
  });
});
