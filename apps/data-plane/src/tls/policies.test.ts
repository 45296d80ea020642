// What a client that asks for everything is given under each built-in policy: its lists, in its order, and no more.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:tls';
import {
  algorithmCatalogue,
  builtInAlgorithmPolicies,
  modernPolicy,
  type TlsAlgorithms,
} from '@sallyport/model';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Issued, issue } from './fixture/certificates.ts';
import { suitesOf } from './suites.ts';

vi.setConfig({ testTimeout: 60_000 });

let certificates: readonly Issued[];
const servers: Server[] = [];
beforeAll(async () => {
  certificates = await Promise.all(
    (['ecdsa-p256', 'rsa', 'ed25519'] as const).map((keyType) =>
      issue({ name: keyType, use: 'server', keyType }),
    ),
  );
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function serve(algorithms: TlsAlgorithms): Promise<number> {
  const server = createServer({
    ...suitesOf(algorithms),
    cert: certificates.map(({ pem }) => pem),
    key: certificates.map(({ keyPem }) => keyPem),
  });
  server.on('tlsClientError', () => {});
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** One handshake of OpenSSL's client; what it prints, also where it fails. */
const client = (port: number, ...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    const child = execFile(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, ...args],
      { timeout: 10_000 },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end();
  });

const tls13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const tls13Others = ['TLS_AES_128_CCM_SHA256', 'TLS_AES_128_CCM_8_SHA256'];

/** The suites of a port in the order in which it picks them: each is offered no more once it was picked. */
async function suitesServed(port: number, version: '1.2' | '1.3'): Promise<string[]> {
  const served: string[] = [];
  for (;;) {
    const offer =
      version === '1.2'
        ? ['-tls1_2', '-cipher', ['ALL:COMPLEMENTOFALL', ...served].join(':!').concat(':@SECLEVEL=0')]
        : [
            '-tls1_3',
            '-ciphersuites',
            [...tls13, ...tls13Others].filter((name) => !served.includes(name)).join(':'),
          ];
    const picked = /Cipher is (\S+)/.exec(await client(port, ...offer))?.[1];
    if (picked === undefined || picked === '(NONE)') return served;
    served.push(picked);
  }
}

/** The name by which OpenSSL's `ciphers` lists a suite. */
async function ianaNames(): Promise<ReadonlyMap<string, string>> {
  const listed = await new Promise<string>((resolve, reject) => {
    execFile('openssl', ['ciphers', '-stdname', 'ALL:COMPLEMENTOFALL'], (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  return new Map(
    listed
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
      .map(([iana = '', , name = '']) => [name, iana]),
  );
}

describe.each(builtInAlgorithmPolicies)('$name', ({ tls }) => {
  test('serves its suites in their order, and no other', async () => {
    const port = await serve(tls);
    const names = await ianaNames();
    const served = [...(await suitesServed(port, '1.3')), ...(await suitesServed(port, '1.2'))];
    expect(served.map((name) => names.get(name) ?? name)).toEqual(tls.suites);
  });

  test('speaks no version before its first', async () => {
    const port = await serve(tls);
    for (const version of ['-tls1', '-tls1_1']) {
      const said = await client(port, version, '-cipher', 'ALL:@SECLEVEL=0');
      expect(said).toMatch(/Cipher is \(NONE\)/);
    }
  });

  test('agrees on its groups alone', async () => {
    const port = await serve(tls);
    const agreed: string[] = [];
    for (const group of algorithmCatalogue.tls.groups) {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ecdhCurve: group });
      // Rejects where an error comes first.
      const done = await once(socket, 'secureConnect').then(
        () => true,
        () => false,
      );
      if (done) agreed.push(group);
      socket.destroy();
    }
    expect(agreed.toSorted()).toEqual([...tls.groups].toSorted());
  });

  test('signs with its signatures alone', async () => {
    const port = await serve(tls);
    const signed: string[] = [];
    for (const scheme of [...algorithmCatalogue.tls.signatures, 'rsa_pkcs1_sha1', 'ecdsa_sha1']) {
      const said = await client(port, '-tls1_2', '-cipher', 'ALL:@SECLEVEL=0', '-sigalgs', scheme);
      if (/Cipher is (?!\(NONE\))/.test(said)) signed.push(scheme);
    }
    // Without keys on the larger curves nothing is signed on them.
    const keyless = ['ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512'];
    expect(signed.filter((name) => !keyless.includes(name))).toEqual(
      tls.signatures.filter((name) => !keyless.includes(name)),
    );
  });
});

test('the hybrid group is taken before another that the client would rather have', async () => {
  const port = await serve(modernPolicy.tls);
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ecdhCurve: 'X25519:X25519MLKEM768',
  });
  await once(socket, 'secureConnect');
  expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' });
  socket.destroy();
});

test('ECDSA and RSA are both presented, by what the client can verify', async () => {
  const port = await serve(modernPolicy.tls);
  for (const version of ['-tls1_2', '-tls1_3']) {
    for (const [signatures, subject] of [
      ['ecdsa_secp256r1_sha256', 'ecdsa-p256'],
      ['rsa_pss_rsae_sha256', 'rsa'],
      ['ed25519', 'ed25519'],
    ] as const) {
      const said = await client(port, version, '-sigalgs', signatures);
      expect(said).toContain(`subject=CN = ${subject}`);
    }
  }
});
