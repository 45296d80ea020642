import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { smallFiles } from '../files.ts';
import { clientCore, place } from '../placement.ts';
import { cpuSeconds, memoryBytes } from '../process-usage.ts';
import type { Goal } from '../rows.ts';
import { settle } from '../settle.ts';
import { download, lftp, upload } from './client.ts';
import { shakeHands, stay } from './connection.ts';
import type { TlsScenario } from './scenario.ts';
import type { TlsServer } from './server.ts';

export type Direction = 'download' | 'upload';

/** One large file, the server on one core and the client on the other. */
export const pinned = (direction: Direction, goal: Goal): TlsScenario => ({
  id: direction,
  of: (ground) => {
    const name = `${direction}, pinned`;
    return {
      id: direction,
      measures: [
        { name, unit: 'MB/s', goal, against: 'highest' },
        { name: `${name}, server CPU`, unit: 's/GB' },
      ],
      async run(server) {
        await place(server.pid, 'server-core');
        const before = cpuSeconds(server.pid);
        const seconds =
          direction === 'download'
            ? await download(server, 'large', clientCore)
            : await upload(server, ground.largeFile, 'uploaded', clientCore);
        await settleTls(server);
        const cpu = cpuSeconds(server.pid) - before;
        await place(server.pid, 'anywhere');
        await rm(join(server.folder, 'uploaded'), { force: true });
        return {
          [name]: ground.largeBytes / 1e6 / seconds,
          [`${name}, server CPU`]: cpu / (ground.largeBytes / 1e9),
        };
      },
    };
  },
});

/** Four at once, wherever the system puts them. */
export const parallel = (direction: Direction, goal: Goal | undefined): TlsScenario => ({
  id: `${direction}-4-streams`,
  of: (ground) => {
    const name = `${direction}, 4 streams`;
    return {
      id: `${direction}-4-streams`,
      measures: [{ name, unit: 'MB/s', against: 'highest', ...(goal ? { goal } : {}) }],
      async run(server) {
        const names = ['0', '1', '2', '3'].map((stream) => `uploaded-${stream}`);
        const startedAt = performance.now();
        await Promise.all(
          names.map((file) =>
            direction === 'download'
              ? download(server, 'large', 'anywhere')
              : upload(server, ground.largeFile, file, 'anywhere'),
          ),
        );
        const seconds = (performance.now() - startedAt) / 1000;
        await settleTls(server);
        for (const file of names) await rm(join(server.folder, file), { force: true });
        return { [name]: (names.length * ground.largeBytes) / 1e6 / seconds };
      },
    };
  },
});

const handshakes = 100;

/** Full handshakes of TLS 1.3, one after the other. */
export const handshakeCost = (goal: Goal | undefined): TlsScenario => ({
  id: 'handshake',
  of: () => {
    const name = 'server CPU per full handshake';
    return {
      id: 'handshake',
      measures: [{ name, unit: 'ms', ...(goal ? { goal } : {}) }],
      async run(server) {
        const before = cpuSeconds(server.pid);
        for (let made = 0; made < handshakes; made++) (await shakeHands(server)).destroy();
        await settleTls(server);
        return { [name]: ((cpuSeconds(server.pid) - before) * 1000) / handshakes };
      },
    };
  },
});

/** A folder of many small files with lftp. */
export const small = (direction: Direction, goal: Goal): TlsScenario => ({
  id: `small-${direction}`,
  of: (ground) => {
    const name = `1,000 × 1 KiB ${direction}, lftp`;
    return {
      id: `small-${direction}`,
      measures: [{ name, unit: 'files/s', goal, against: 'highest' }],
      async run(server) {
        const back = join(ground.folder, 'client', 'back');
        const startedAt = performance.now();
        await lftp(
          server,
          direction === 'upload'
            ? `mirror -R ${ground.smallFolder} ${server.remote}small-up`
            : `mirror ${server.remote}small ${back}`,
        );
        const seconds = (performance.now() - startedAt) / 1000;
        await rm(join(server.folder, 'small-up'), { recursive: true, force: true });
        await rm(back, { recursive: true, force: true });
        await settleTls(server);
        return { [name]: smallFiles / seconds };
      },
    };
  },
});

const idleSessions = 30;

/** What a session costs that does nothing. */
export const idleMemory: TlsScenario = {
  id: 'idle-memory',
  of: () => {
    const name = 'memory per idle session';
    return {
      id: 'idle-memory',
      measures: [{ name, unit: 'KB', goal: { of: 'value', atMost: 100 } }],
      async run(server) {
        // The first sessions make a process load and allocate what all later ones share.
        const open = await Promise.all(Array.from({ length: 10 }, () => stay(server)));
        await pause(500);
        const before = memoryBytes(server.pid);
        for (let opened = 0; opened < idleSessions; opened++) open.push(await stay(server));
        await pause(1_000);
        const bytes = memoryBytes(server.pid) - before;
        for (const socket of open) socket.destroy();
        await settleTls(server);
        return { [name]: bytes / 1000 / idleSessions };
      },
    };
  },
};

/** nginx keeps its workers: only FTP servers have a process for each session. */
const settleTls = (server: TlsServer): Promise<void> =>
  server.scheme === 'ftp' ? settle(server) : pause(50).then(() => {});
