// An operator renews the certificate of the HTTPS server while clients come without a pause, and not one of them meets
// an error. Then one call revokes a partner's certificate and his SSH key: both are out within a second, and what they
// had let in ends. Weak and bound keys log in where they may, and nowhere else.
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, run, temporaryFolder } from '../support/process.ts';
import { curl } from './support/curl.ts';
import { firstSuccess } from './support/first-success.ts';
import { makePartner } from './support/partner.ts';
import {
  type Demo,
  demoOf,
  placeFile,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { openSftp, sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let demo: Demo;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  await placeFile(quickstart, 'demo', 'hello.txt', 'hello');
});
afterAll(() => quickstart.stop());

/** One download on a connection of its own; the serial number of the certificate that it met. */
async function download(ca: Buffer): Promise<string> {
  const { servers, account } = quickstart.contract;
  const agent = new Agent({ keepAlive: false, maxCachedSessions: 0, ca });
  return new Promise<string>((resolve, reject) => {
    const options = { agent, auth: `${account.name}:${account.password}`, path: '/hello.txt' };
    const sent = request({ ...servers.https, ...options }, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 && body === 'hello'
          ? resolve(serialNumber)
          : reject(new Error(`HTTP ${response.statusCode}: ${body}`)),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Clients that come one after another until they are told to stop. */
function crowd(ca: Buffer, size: number) {
  const serials: string[] = [];
  const failures: unknown[] = [];
  let goesOn = true;
  const clients = Array.from({ length: size }, async () => {
    while (goesOn) {
      await download(ca).then(
        (serial) => serials.push(serial),
        (error) => failures.push(error),
      );
    }
  });
  return {
    serials,
    failures,
    async stop() {
      goesOn = false;
      await Promise.all(clients);
    },
  };
}

/** The load is there when so many downloads are done; how long they take says nothing. */
const patiently = { timeout: 15_000 };

test.each(['same-key', 'new-key'] as const)(
  'the certificate of the HTTPS server is renewed, %s, under load, without one failed request',
  async (source) => {
    const { api, contract } = quickstart;
    const ca = await readFile(contract.files.ca);
    const [id] = demo.https.certificates;
    const before = await api.certificates.get(id ?? '');
    const clients = crowd(ca, 4);
    await expect.poll(() => clients.serials.length, patiently).toBeGreaterThan(20);

    const renewed = (await api.request({
      method: 'POST',
      path: `/v1/certificates/${before.id}/replace`,
      version: before.version,
      body: { source },
    })) as typeof before;
    const answered = performance.now();
    const { beganAfterMs } = await firstSuccess(answered, async () =>
      expect((await download(ca)).toLowerCase()).toBe(renewed.serial),
    );
    console.log(`a client that came ${beganAfterMs.toFixed()} ms after the answer met the new certificate`);
    expect(beganAfterMs).toBeLessThan(1_000);
    const seen = clients.serials.length;
    await expect.poll(() => clients.serials.length, patiently).toBeGreaterThan(seen + 20);
    await clients.stop();

    expect(clients.failures).toEqual([]);
    const serials = [...new Set(clients.serials.map((serial) => serial.toLowerCase()))];
    expect(serials).toEqual([before.serial, renewed.serial]);
    console.log(`${clients.serials.length} downloads, none of them failed`);
    // Stock clients agree, and so does the FTPS server, which presents the same certificate.
    const login = { password: contract.account.password };
    for (const target of ['https', 'ftp', 'ftps'] as const) {
      expect(await curl(contract, target, 'hello.txt', login)).toMatchObject({ code: 0, stdout: 'hello' });
    }
  },
);

test('one call revokes a partner’s certificate and his SSH key', async () => {
  const { api, contract } = quickstart;
  const { key, certificate, keyId, certificateId } = await makePartner(quickstart, demo.zone.id, 'partner');
  const login = { user: 'partner', key };
  const open = await openSftp(contract, login);
  await open.works();
  expect(await curl(contract, 'https', '', { certificate })).toMatchObject({ code: 0 });

  await api.request({
    method: 'POST',
    path: '/v1/certificates/revoke',
    body: {
      targets: [
        { by: 'id', id: certificateId },
        { by: 'id', id: keyId },
      ],
      reason: 'keyCompromise',
    },
  });
  const answered = performance.now();
  const { beganAfterMs } = await firstSuccess(answered, async () => {
    expect((await curl(contract, 'https', '', { certificate })).code).toBe(22);
    expect(await sftp(contract, login, 'pwd\n')).toMatchObject({
      code: 255,
      stderr: expect.stringContaining('Permission denied'),
    });
  });
  console.log(`both were refused to a client that came ${beganAfterMs.toFixed()} ms after the answer`);
  expect(beganAfterMs).toBeLessThan(1_000);
  await expect(open.works()).rejects.toThrow('the session has ended');
});

test('a key that may come from elsewhere alone is refused, and the event says why', async () => {
  const { api, contract } = quickstart;
  const partner = await makePartner(quickstart, demo.zone.id, 'bound');
  const folder = temporaryFolder();
  const made = await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
  expect(made).toMatchObject({ code: 0 });
  const line = await readFile(join(folder, 'key.pub'), 'utf8');
  const body = { source: 'import', kind: 'login', account: partner.id } as const;
  const elsewhere = await api.certificates.create({
    ...body,
    alias: 'elsewhere',
    text: `from="192.0.2.0/24" ${line}`,
  });
  await untilLive(quickstart, demo.zone.id, elsewhere.changeSequence);
  const login = { user: 'bound', key: join(folder, 'key') };
  expect((await sftp(contract, login, 'pwd\n')).code).toBe(255);
  let seen = 0;
  await eventually(async () => {
    const events = await api.events(seen);
    seen = events.at(-1)?.position ?? seen;
    expect(events.map(({ reason }) => reason)).toContain('the key may not be used from this address');
  });

  await api.certificates.remove(elsewhere.id, elsewhere.version);
  const here = await api.certificates.create({ ...body, alias: 'here', text: `from="127.0.0.1" ${line}` });
  await untilLive(quickstart, demo.zone.id, here.changeSequence);
  expect(await sftp(contract, login, 'pwd\n')).toMatchObject({ code: 0 });
});

test('RSA keys of 1024 bits log in over SSH and TLS while their zone takes them', async () => {
  const { api, contract } = quickstart;
  const setBits = async (importRsaBits: 1024 | 2048) => {
    const { version } = await api.zones.get(demo.zone.id);
    const { changeSequence } = await api.zones.change(demo.zone.id, { importRsaBits }, version);
    await untilLive(quickstart, demo.zone.id, changeSequence);
  };
  await setBits(1024);
  const { id } = await makePartner(quickstart, demo.zone.id, 'weak');
  const folder = temporaryFolder();
  const key = join(folder, 'key');
  expect(
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-m', 'PEM', '-N', '', '-f', key]),
  ).toMatchObject({ code: 0 });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'tls.key') };
  const selfSigned = ['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-days', '9', '-subj', '/CN=weak'];
  const extensions = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  expect(
    await run('openssl', [...selfSigned, ...extensions, '-keyout', files.key, '-out', files.cert]),
  ).toMatchObject({ code: 0 });
  const body = { source: 'import', kind: 'login', account: id } as const;
  await api.certificates.create({ ...body, alias: 'weak-rsa', text: await readFile(`${key}.pub`, 'utf8') });
  const text = await readFile(files.cert, 'utf8');
  const pinned = await api.certificates.create({ ...body, alias: 'weak-tls', text, anchor: 'pinned' });
  await untilLive(quickstart, demo.zone.id, pinned.changeSequence);

  const overSsh = () => sftp(contract, { user: 'weak', key }, 'pwd\n');
  const [ca, cert, tlsKey] = await Promise.all(
    [contract.files.ca, files.cert, files.key].map((file) => readFile(file)),
  );
  // curl's OpenSSL does not even load such a certificate.
  const overTls = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const weak = { ca, cert, key: tlsKey, ciphers: 'DEFAULT@SECLEVEL=0', agent: false } as const;
      const sent = request({ ...contract.servers.https, ...weak, path: '/' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end();
    });
  expect(await overSsh()).toMatchObject({ code: 0 });
  expect(await overTls()).toBe(200);
  await setBits(2048);
  expect((await overSsh()).code).toBe(255);
  expect(await overTls()).toBe(401);
});
