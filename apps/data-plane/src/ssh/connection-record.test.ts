import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Notice } from '../adapter.ts';
import { Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const told = () => (stage.notices as Notice[]).filter(({ kind }) => kind === 'connection');

describe('of each connection is told', () => {
  it('what was offered and agreed on, and the key that it met; its login says which it is', async () => {
    expect(await stage.sftp('pwd\n', stage.clientKey, '-o', 'Ciphers=aes256-ctr')).toMatchObject({ code: 0 });
    expect(told()).toMatchObject([
      {
        server: 'ssh',
        source: '127.0.0.1',
        outcome: 'completed',
        detail: {
          client: expect.stringMatching(/^SSH-2\.0-OpenSSH_/),
          kex: expect.stringMatching(/^sntrup761x25519-sha512/),
          hostKeyAlgorithm: 'ssh-ed25519',
          cipherIn: 'aes256-ctr',
          macIn: 'hmac-sha2-256-etm@openssh.com',
          offeredKex: expect.stringContaining('curve25519-sha256'),
          offeredCiphers: 'aes256-ctr',
        },
      },
    ]);
    const { connection, hostKey } = told()[0]?.detail ?? {};
    expect(hostKey).toMatch(/^SHA256:/);
    expect(stage.desk.details.at(-1)?.()).toEqual({ connection, hostKey });
  });

  it.each([
    [['KexAlgorithms=ecdh-sha2-nistp256'], 'no-common-kex'],
    [['HostKeyAlgorithms=rsa-sha2-512'], 'no-common-host-key'],
    [['Ciphers=aes128-cbc'], 'no-common-cipher'],
    [['Ciphers=aes128-ctr', 'MACs=hmac-sha1'], 'no-common-mac'],
  ])('what was offered where nothing was in common: %j', async (options, reason) => {
    const more = options.flatMap((option) => ['-o', option]);
    expect((await stage.sftp('pwd\n', stage.clientKey, ...more)).code).not.toBe(0);
    await until(() => told().length > 0);
    expect(told()).toMatchObject([
      {
        outcome: 'failed',
        reason,
        detail: { offeredKex: expect.any(String), offeredMacs: expect.any(String) },
      },
    ]);
  });

  it('nothing where it said nothing, and that it left where it did', async () => {
    const silent = connect(stage.port, '127.0.0.1');
    await once(silent, 'data');
    silent.destroy();
    const scanner = connect(stage.port, '127.0.0.1');
    scanner.write('SSH-2.0-Scanner\r\n');
    await once(scanner, 'data');
    scanner.end();
    await until(() => told().length > 0);
    expect(told()).toMatchObject([
      { outcome: 'failed', reason: 'no-offer', detail: { client: 'SSH-2.0-Scanner' } },
    ]);
  });
});
