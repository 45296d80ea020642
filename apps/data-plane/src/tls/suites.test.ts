import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { builtInAlgorithmPolicies, modernPolicy, type TlsAlgorithms } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { issue } from './fixture/certificates.ts';
import { suitesOf } from './suites.ts';

/** What a client and a server with these lists agree on. */
async function agreed(algorithms: TlsAlgorithms, client: object = {}): Promise<string[]> {
  const server = await issue({ name: 'server', use: 'server' });
  const listener = createServer({ ...suitesOf(algorithms), cert: server.pem, key: server.keyPem });
  listener.on('tlsClientError', () => {});
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...client });
  try {
    await once(socket, 'secureConnect');
    return [socket.getProtocol() ?? '', socket.getCipher().standardName];
  } finally {
    socket.destroy();
    listener.close();
    await once(listener, 'close');
  }
}

describe('suitesOf', () => {
  it('takes the first suite of the policy, whatever the client would rather have', async () => {
    for (const suite of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
      expect(
        await agreed({ ...modernPolicy.tls, suites: [suite, 'TLS_AES_128_GCM_SHA256'], versions: ['1.3'] }),
      ).toEqual(['TLSv1.3', suite]);
    }
  });

  it('knows every suite of every built-in policy that a key of this kind can serve', async () => {
    const suites = new Set(builtInAlgorithmPolicies.flatMap(({ tls }) => tls.suites));
    for (const suite of suites) {
      if (!suite.includes('_ECDHE_ECDSA_')) continue;
      const algorithms = {
        ...modernPolicy.tls,
        versions: ['1.2' as const],
        suites: [suite],
        groups: ['secp256r1'],
      };
      expect(await agreed(algorithms)).toEqual(['TLSv1.2', suite]);
    }
  });

  it('refuses a version and a group that are not in the policy', async () => {
    const { suites } = modernPolicy.tls;
    await expect(
      agreed(
        { ...modernPolicy.tls, versions: ['1.3'], suites, groups: ['X25519'] },
        { maxVersion: 'TLSv1.2' },
      ),
    ).rejects.toThrow();
    await expect(
      agreed({ ...modernPolicy.tls, versions: ['1.3'], suites, groups: ['X448'] }, { ecdhCurve: 'X25519' }),
    ).rejects.toThrow();
  });
});
