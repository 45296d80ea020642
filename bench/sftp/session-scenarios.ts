import { setTimeout as pause } from 'node:timers/promises';
import { eventually, startProcess } from '../../test/support/process.ts';
import { cpuSeconds, memoryBytes } from '../process-usage.ts';
import { settle } from '../settle.ts';
import { login, sshOptions, stayLoggedIn } from './client.ts';
import type { Scenario } from './scenario.ts';
import type { SftpServer } from './server.ts';

const loginsInTurn = 60;
const loginsTogether = 120;
const together = 8;
const idleSessions = 100;

const loginCost: Scenario = {
  id: 'login-cost',
  peers: 'all',
  measures: [{ name: 'server CPU per publickey login', unit: 'ms', goal: { of: 'ratio', atMost: 0.333 } }],
  async run(server) {
    const before = cpuSeconds(server.pid);
    for (let done = 0; done < loginsInTurn; done++) await login(server, 'anywhere');
    await settle(server);
    return { 'server CPU per publickey login': ((cpuSeconds(server.pid) - before) * 1000) / loginsInTurn };
  },
};

const loginRate: Scenario = {
  id: 'login-rate',
  peers: 'all',
  measures: [{ name: 'logins per second, 8 at a time', unit: '1/s', goal: { of: 'ratio', atLeast: 2 } }],
  async run(server) {
    let left = loginsTogether;
    const startedAt = performance.now();
    const work = async (): Promise<void> => {
      while (left-- > 0) await login(server, 'anywhere');
    };
    await Promise.all(Array.from({ length: together }, work));
    const seconds = (performance.now() - startedAt) / 1000;
    await settle(server);
    return { 'logins per second, 8 at a time': loginsTogether / seconds };
  },
};

/** Logs in and waits for the server's SSH_FXP_VERSION: the session is there. */
async function openIdle(server: SftpServer) {
  const client = stayLoggedIn(server);
  client.child.stdin?.on('error', () => {});
  client.child.stdin?.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]));
  await eventually(
    () => {
      if (client.stdout() === '') throw new Error(`no session: ${client.stderr()}`);
    },
    { timeoutMs: 20_000 },
  );
  return client;
}

const idleMemory: Scenario = {
  id: 'idle-memory',
  peers: 'all',
  measures: [{ name: 'memory per idle session', unit: 'KB', goal: { of: 'value', atMost: 100 } }],
  async run(server) {
    // The first sessions make a process load and allocate what all later ones share.
    const warm = [];
    for (let opened = 0; opened < 10; opened++) warm.push(await openIdle(server));
    const before = memoryBytes(server.pid);
    const clients = [];
    for (let opened = 0; opened < idleSessions; opened++) clients.push(await openIdle(server));
    await pause(1_000);
    const bytes = memoryBytes(server.pid) - before;
    for (const client of [...warm, ...clients]) client.child.stdin?.end();
    await Promise.all([...warm, ...clients].map((client) => client.exited));
    await settle(server);
    return { 'memory per idle session': bytes / 1000 / idleSessions };
  },
};

const slowReader: Scenario = {
  id: 'slow-reader',
  peers: 'openssh',
  measures: [{ name: 'memory for a slow reader of 10 GB', unit: 'MB', goal: { of: 'value', atMost: 4 } }],
  async run(server) {
    const read = (limit: number) =>
      startProcess('sftp', [
        ...sshOptions(server),
        '-q',
        '-l',
        String(limit),
        `127.0.0.1:${server.remote}huge`,
        '/dev/null',
      ]);
    // At first as fast as it goes, so that buffers that are kept for use are there before the count begins.
    const fast = read(1_000_000_000);
    await pause(1_500);
    await fast.stop();
    await settle(server);
    await pause(500);
    const before = memoryBytes(server.pid);
    const slow = read(8_000);
    let most = 0;
    for (let look = 0; look < 16; look++) {
      await pause(250);
      most = Math.max(most, memoryBytes(server.pid) - before);
    }
    await slow.stop();
    await settle(server);
    return { 'memory for a slow reader of 10 GB': Math.max(0, most) / 1e6 };
  },
};

/** Logins, and what sessions cost that do little. */
export const sessionScenarios: readonly Scenario[] = [loginCost, loginRate, idleMemory, slowReader];
