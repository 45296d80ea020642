import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { asAcme, ask } from './fixture/client.ts';
import { type Certificates, makeCertificates, openStand, type Stand } from './fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

async function runningStand(): Promise<Stand> {
  const stand = await openStand(certificates);
  await stand.apply();
  return stand;
}

describe('a client that means ill', () => {
  it('keeps no file open by a form that it breaks off', async () => {
    await using stand = await runningStand();
    const socket = connect({ host: '127.0.0.1', port: stand.listener.port, ca: certificates.ca.pem });
    socket.on('error', () => {});
    socket.write(
      'POST /.sallyport/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n' +
        `Authorization: ${asAcme.authorization}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n` +
        '--b\r\nContent-Disposition: form-data; name="directory"\r\n\r\n/\r\n' +
        '--b\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\nbegun',
    );
    const staged = async () => await readdir(`${stand.home}/.sallyport-staging`).catch(() => []);
    await vi.waitFor(async () => expect(await staged()).toHaveLength(1), { timeout: 10_000 });
    socket.destroy();
    await vi.waitFor(async () => expect(await staged()).toHaveLength(0), { timeout: 10_000 });
    expect(stand.desk.sessions[0]?.transfers[0]?.outcome).toBe('cut');
    await vi.waitFor(() => expect(stand.desk.sessions[0]?.closed).toBe(1), { timeout: 10_000 });
  });

  it('makes no large answer of a small question', async () => {
    await using stand = await runningStand();
    const answer = await ask(stand, certificates, '/', {
      method: 'PROPFIND',
      headers: { ...asAcme, depth: '0' },
      body: `<D:propfind xmlns:D="DAV:" xmlns:x="urn:${'x'.repeat(30_000)}"><D:prop>${'<x:a/>'.repeat(1_900)}</D:prop></D:propfind>`,
    });
    expect([answer.status, answer.text.length < 200_000]).toEqual([400, true]);
  });

  it('loses no file to a copy that cannot be made', async () => {
    await using stand = await runningStand();
    execFileSync('mkfifo', [`${stand.home}/pipe`]);
    await writeFile(`${stand.home}/f`, 'kept');
    const copied = await ask(stand, certificates, '/pipe', {
      method: 'COPY',
      headers: { ...asAcme, destination: '/f' },
    });
    expect(copied.status).toBeGreaterThanOrEqual(400);
    expect(await readFile(`${stand.home}/f`, 'utf8')).toBe('kept');
    await mkdir(`${stand.home}/d`);
    await writeFile(`${stand.home}/d/f`, 'kept');
    await mkdir(`${stand.home}/from`);
    execFileSync('mkfifo', [`${stand.home}/from/pipe`]);
    const tree = await ask(stand, certificates, '/from', {
      method: 'COPY',
      headers: { ...asAcme, destination: '/d' },
    });
    expect(tree.status).toBeGreaterThanOrEqual(400);
    expect(await readFile(`${stand.home}/d/f`, 'utf8')).toBe('kept');
    expect((await readdir(stand.home)).filter((name) => name.startsWith('.replaced'))).toEqual([]);
  });

  it('overwrites nothing that changed or was locked while its body was coming', async () => {
    await using stand = await runningStand();
    const begin = async (headers: Record<string, string>) => {
      const request = https.request(stand.url('/f'), {
        method: 'PUT',
        agent: false,
        ca: certificates.ca.pem,
        headers: { ...asAcme, ...headers, 'content-length': '6' },
      });
      request.write('mine');
      const staged = async () => await readdir(`${stand.home}/.sallyport-staging`).catch(() => []);
      await vi.waitFor(async () => expect(await staged()).toHaveLength(1), { timeout: 10_000 });
      return async () => {
        request.end('!!');
        const [response] = (await once(request, 'response')) as [IncomingMessage];
        response.resume();
        return response.statusCode;
      };
    };
    await writeFile(`${stand.home}/f`, 'first');
    const { headers } = await ask(stand, certificates, '/f', { headers: asAcme });
    const finishStale = await begin({ 'if-match': String(headers.etag) });
    await writeFile(`${stand.home}/f`, 'theirs');
    expect(await finishStale()).toBe(412);

    const finishLocked = await begin({});
    const lock = await ask(stand, certificates, '/f', {
      method: 'LOCK',
      headers: {
        authorization: `Basic ${Buffer.from('careful:careful').toString('base64')}`,
        'sallyport-otp': '123456',
      },
      body: '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>',
    });
    expect(lock.status).toBe(200);
    expect(await finishLocked()).toBe(423);
    expect(await readFile(`${stand.home}/f`, 'utf8')).toBe('theirs');
  });
});
