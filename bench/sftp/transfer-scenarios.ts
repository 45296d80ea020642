import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startDelayingRelay } from '../delaying-relay.ts';
import { clientCore, place } from '../placement.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { Goal } from '../rows.ts';
import { settle } from '../settle.ts';
import { timedSftp } from './client.ts';
import type { Ground, Scenario } from './scenario.ts';
import type { SftpServer } from './server.ts';

const ciphers = {
  'aes128-gcm': 'aes128-gcm@openssh.com',
  chacha20: 'chacha20-poly1305@openssh.com',
} as const;
type Direction = 'download' | 'upload';

const atLeast = (ratio: number): Goal => ({ of: 'ratio', atLeast: ratio });
const atMost = (ratio: number): Goal => ({ of: 'ratio', atMost: ratio });

/** The file goes to nowhere on the client's side: what is measured is the server. */
const commandOf = (direction: Direction, server: SftpServer, ground: Ground, name = 'large'): string =>
  direction === 'download'
    ? `get ${server.remote}${name} /dev/null`
    : `put ${ground.largeFile} ${server.remote}uploaded-${name}`;

function pinned(direction: Direction, cipher: keyof typeof ciphers): Scenario {
  const name = `${direction} ${cipher}, pinned`;
  const speed = direction === 'download' ? 1.1 : 1.3;
  const cost = direction === 'download' ? 1.15 : 1;
  return {
    id: `${direction}-${cipher}`,
    peers: 'all',
    measures: [
      { name, unit: 'MB/s', goal: atLeast(speed) },
      { name: `${name}, server CPU`, unit: 's/GB', goal: atMost(cost) },
    ],
    async run(server, ground) {
      await place(server.pid, 'server-core');
      const before = cpuSeconds(server.pid);
      const seconds = await timedSftp(server, commandOf(direction, server, ground), {
        placement: clientCore,
        cipher: ciphers[cipher],
      });
      await settle(server);
      const cpu = cpuSeconds(server.pid) - before;
      await place(server.pid, 'anywhere');
      await removeUploads(server);
      return {
        [name]: ground.largeBytes / 1e6 / seconds,
        [`${name}, server CPU`]: cpu / (ground.largeBytes / 1e9),
      };
    },
  };
}

function parallel(direction: Direction, streams: number): Scenario {
  const name = `${direction}, ${streams} streams`;
  return {
    id: `${direction}-${streams}-streams`,
    peers: 'all',
    measures: [{ name, unit: 'MB/s', goal: atLeast(direction === 'download' ? 1.05 : 1.3) }],
    async run(server, ground) {
      const startedAt = performance.now();
      await Promise.all(
        Array.from({ length: streams }, (_, stream) => {
          const command =
            direction === 'download'
              ? commandOf(direction, server, ground)
              : commandOf(direction, server, ground, String(stream));
          return timedSftp(server, command, { placement: 'anywhere' });
        }),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      await settle(server);
      await removeUploads(server);
      return { [name]: (streams * ground.largeBytes) / 1e6 / seconds };
    },
  };
}

function farAway(direction: Direction): Scenario {
  const name = `${direction}, 100 ms round trip`;
  return {
    id: `${direction}-far`,
    peers: 'openssh',
    measures: [{ name, unit: 'MB/s', goal: atLeast(1) }],
    async run(server, ground) {
      const relay = await startDelayingRelay(server.port, 100);
      try {
        const seconds = await timedSftp(
          server,
          commandOf(direction, server, ground, 'medium').replace(ground.largeFile, ground.mediumFile),
          { placement: 'anywhere', port: relay.port },
        );
        return { [name]: ground.mediumBytes / 1e6 / seconds };
      } finally {
        await relay.close();
        await settle(server);
        await removeUploads(server);
      }
    },
  };
}

async function removeUploads(server: SftpServer): Promise<void> {
  for (const name of ['large', 'medium', '0', '1', '2', '3']) {
    await rm(join(server.folder, `uploaded-${name}`), { force: true });
  }
}

const directions = ['download', 'upload'] as const;

/** One large file, alone, by four at once, and from far away. */
export const transferScenarios: readonly Scenario[] = [
  ...directions.flatMap((direction) => [pinned(direction, 'aes128-gcm'), pinned(direction, 'chacha20')]),
  ...directions.map((direction) => parallel(direction, 4)),
  ...directions.map((direction) => farAway(direction)),
];
