import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { type HttpServer, modernPolicy, serverCreate } from '@sallyport/model';
import { afterEach, expect, test } from 'vitest';
import { run, temporaryFolder } from '../../../../test/support/process.ts';
import type { Identity } from '../zone-view.ts';
import { createTlsAcceptor } from './acceptor.ts';
import { identityOf, issue } from './fixture/certificates.ts';
import { viewOf } from './fixture/zone.ts';
import { stapleOf } from './staple.ts';

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

const response = new Uint8Array([0x30, 3, 0x0a, 1, 0]);
const stapled = (identity: Identity, endsAt = Date.now() + 60_000): Identity => ({
  ...identity,
  ocsp: { response, endsAt },
});
const named = async (name: string, keyType: 'ecdsa-p256' | 'rsa' = 'ecdsa-p256'): Promise<Identity> => ({
  ...identityOf(
    `${name}-${keyType}`,
    await issue({ name, use: 'server', keyType, sans: [{ type: 'dns', value: name }] }),
  ),
});

async function listen(identities: readonly Identity[]): Promise<number> {
  const server = {
    ...serverCreate.parse({ protocol: 'http', name: 'https', zone: 'test', port: 443 }),
    id: 'srv-1',
    version: 1,
    createdAt: '2026-01-01T00:00:00Z',
  } as HttpServer;
  const view = viewOf({});
  const acceptor = createTlsAcceptor({
    context: {
      login: { open: () => Promise.reject() as never },
      view: () => view,
      now: Date.now,
      notice: () => {},
    },
    running: { server, identities, algorithms: modernPolicy },
  });
  const listener = net.createServer((socket) => {
    opened.push(() => socket.destroy());
    void acceptor.secure(socket).then((outcome) => {
      if (outcome.kind === 'open') outcome.socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  opened.push(() => listener.close());
  return (listener.address() as AddressInfo).port;
}

/** What a client that asks for a response is given. */
async function told(
  port: number,
  servername: string,
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<Buffer | undefined> {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    ...(servername ? { servername } : {}),
    minVersion: version,
    maxVersion: version,
    requestOCSP: true,
    rejectUnauthorized: false,
  });
  opened.push(() => socket.destroy());
  const answer = once(socket, 'OCSPResponse');
  await once(socket, 'secureConnect');
  const [der] = await answer;
  return der?.length > 0 ? der : undefined;
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'the response of the named certificate is stapled on %s',
  async (version) => {
    const port = await listen([stapled(await named('one.example')), await named('two.example')]);
    expect(await told(port, 'one.example', version)).toEqual(Buffer.from(response));
    expect(await told(port, 'two.example', version)).toBeUndefined();
    expect(await told(port, '', version)).toEqual(Buffer.from(response));
  },
);

test('curl and OpenSSL verify what is stapled', async () => {
  const folder = temporaryFolder();
  const ca = await issue({ name: 'Root', use: 'ca' });
  const sans = [{ type: 'dns', value: 'localhost' }] as const;
  const leaf = await issue({ name: 'localhost', use: 'server', issuer: ca, sans });
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('ca.pem', ca.pem);
  write('ca.key', ca.keyPem);
  write('leaf.pem', leaf.pem);
  const serial = leaf.certificate.serialNumber.toUpperCase().replace(/^(00)+/, '');
  const known = (status: 'V' | 'R', since: string) =>
    write('index.txt', `${status}\t300101000000Z\t${since}\t${serial}\tunknown\t/CN=localhost\n`);
  const answered = async (): Promise<Identity> => {
    const by = ['-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', 'ca.pem', '-rkey', 'ca.key'];
    const about = ['-issuer', 'ca.pem', '-cert', 'leaf.pem', '-nmin', '60', '-respout', 'response.der'];
    const made = await run('openssl', ['ocsp', ...by, ...about, '-CAfile', 'ca.pem'], { cwd: folder });
    expect(made).toMatchObject({ code: 0 });
    const der = new Uint8Array(readFileSync(join(folder, 'response.der')));
    // curl looks for the issuer in what the server sends.
    return { ...identityOf('leaf', leaf, [ca]), ocsp: { response: der, endsAt: Date.now() + 60_000 } };
  };
  const curl = (port: number) =>
    run('curl', ['-sS', '--cert-status', '--cacert', 'ca.pem', `https://localhost:${port}/`], {
      cwd: folder,
    });

  known('V', '');
  const port = await listen([await answered()]);
  expect(await curl(port)).toMatchObject({ code: 0, stderr: '' });
  const client = await run('openssl', ['s_client', '-status', '-connect', `127.0.0.1:${port}`]);
  expect(client.stdout).toContain('Cert Status: good');
  known('R', '260101000000Z');
  expect(await curl(await listen([await answered()]))).toMatchObject({ code: 91 });
  expect(await curl(await listen([identityOf('leaf', leaf, [ca])]))).toMatchObject({ code: 91 });
});

test('a response that has ended is not stapled, nor one beside which OpenSSL may present another', async () => {
  const one = stapled(await named('one.example'));
  expect(stapleOf([one], Date.now())).toEqual(Buffer.from(response));
  expect(stapleOf([one], Date.now() + 61_000)).toBeUndefined();
  expect(stapleOf([one, await named('one.example', 'rsa')], Date.now())).toBeUndefined();
  expect(stapleOf([], 0)).toBeUndefined();
});
