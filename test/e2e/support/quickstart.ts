// A running quickstart for one story: started as a user starts it, spoken to through its contract file, stopped by its pid.
import { readFileSync } from 'node:fs';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Client, createClient } from '@sallyport/client';
import type { FtpServer, HttpServer, Server, SshServer, Zone } from '@sallyport/model';
import { expect } from 'vitest';
import { eventually, type RunningProcess, startProcess, temporaryFolder } from '../../support/process.ts';

const root = resolve(import.meta.dirname, '../../..');

/** The Node and the entry point that `npm start` runs; tests leave npm out, for its start takes half a second. */
export const node = join(root, 'node_modules/.bin/node');
export const sallyport = join(root, 'apps/cli/src/sallyport.mjs');

type Address = { readonly host: string; readonly port: number };

/** `quickstart.json`, as design section 7 promises it to scripts. */
export type Contract = {
  readonly ready: true;
  readonly pid: number;
  readonly processes: { readonly controlPlane: number; readonly node: number };
  readonly nodeHome: string;
  readonly controlPlaneUrl: string;
  readonly openapiUrl: string;
  readonly apiToken: string;
  readonly servers: {
    readonly ssh: Address;
    readonly ftp: Address & { readonly passive: readonly [number, number] };
    readonly ftpsImplicit: Address;
    readonly https: Address;
  };
  readonly files: {
    readonly knownHosts: string;
    readonly ca: string;
    readonly clientCert: string;
    readonly clientKey: string;
    readonly sshKey: string;
  };
  readonly account: { readonly name: string; readonly password: string };
};

export type QuickstartOptions = {
  /** A fresh temporary folder where it is left out. */
  readonly home?: string;
  /** Arguments after `--home DIR`; free ports and one process that serves where they are left out. */
  readonly args?: readonly string[];
};

/** A quickstart that has written its contract. */
export interface Quickstart {
  readonly home: string;
  readonly process: RunningProcess;
  /** As it was when the quickstart became ready; `read` gives what it is now. */
  readonly contract: Contract;
  readonly read: () => Contract;
  /** Milliseconds from the start of the process to the contract file. */
  readonly readyAfterMs: number;
  /** The API with the contract's token. */
  readonly api: Client;
  /** Folder of an account's files on the node. */
  readonly filesOf: (account: string) => string;
  /**
   * SIGTERM to the contract's pid. Fails the test unless it exits 0, its contract is gone, and no process of it, nor
   * one that a story has started in its place, is left.
   */
  readonly stop: () => Promise<void>;
}

/** Starts the quickstart's command and answers at once. */
export function spawnQuickstart(home: string, args: readonly string[] = ['--ports', 'auto']): RunningProcess {
  // Whatever becomes of the test, its end is the end of our pipe, and so of the quickstart.
  const command = [sallyport, 'quickstart', '--home', home, '--stop-with-stdin', ...args];
  return startProcess(node, command, { cwd: temporaryFolder() });
}

const readContract = (home: string): Contract =>
  JSON.parse(readFileSync(join(home, 'quickstart.json'), 'utf8')) as Contract;

/** Throws until the process of that id has written it: one that was killed leaves an old one. */
function contractOf(home: string, pid: number): Contract {
  const contract = readContract(home);
  if (contract.pid !== pid) throw new Error(`the contract is that of ${contract.pid}`);
  return contract;
}

/** Starts a quickstart and waits for its contract. */
export async function startQuickstart(options: QuickstartOptions = {}): Promise<Quickstart> {
  const home = options.home ?? join(temporaryFolder(), 'home');
  const startedAt = performance.now();
  const running = spawnQuickstart(home, options.args ?? ['--ports', 'auto', '--processes', '1']);
  const contract = await Promise.race([
    eventually(() => contractOf(home, running.pid), { timeoutMs: 45_000 }).catch(() => {
      throw new Error(`the quickstart is not ready\n${running.stdout()}${running.stderr()}`);
    }),
    running.exited.then((code) => {
      throw new Error(`the quickstart ended with ${code}\n${running.stdout()}${running.stderr()}`);
    }),
  ]);
  const readyAfterMs = performance.now() - startedAt;
  return {
    home,
    process: running,
    contract,
    read: () => readContract(home),
    readyAfterMs,
    api: createClient({ url: contract.controlPlaneUrl, token: contract.apiToken }),
    filesOf: (account) => join(contract.nodeHome, 'files', account),
    async stop() {
      const pids = [contract, readContract(home)].flatMap((seen) => [
        seen.pid,
        seen.processes.controlPlane,
        seen.processes.node,
      ]);
      process.kill(contract.pid, 'SIGTERM');
      const late = setTimeout(() => running.kill('SIGKILL'), 40_000);
      const code = await running.exited.finally(() => clearTimeout(late));
      expect({ code, stderr: running.stderr() }).toEqual({ code: 0, stderr: '' });
      await expect(access(join(home, 'quickstart.json'))).rejects.toThrow();
      for (const pid of pids) expect(isAlive(pid)).toBe(false);
    },
  };
}

/** Is there a process of that id, other than one that has ended and waits for its parent? */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The four servers and the zone of the demo. */
export type Demo = {
  readonly zone: Zone;
  readonly ssh: SshServer;
  readonly ftp: FtpServer;
  readonly ftps: FtpServer;
  readonly https: HttpServer;
};

/** Reads the demo's resources as they are now. */
export async function demoOf({ api }: Quickstart): Promise<Demo> {
  const servers = await api.servers.list();
  const named = <S extends Server>(name: string) => servers.find((server) => server.name === name) as S;
  const zone = (await api.zones.list()).find(({ name }) => name === 'demo');
  if (!zone) throw new Error('there is no demo zone');
  return {
    zone,
    ssh: named('demo-ssh'),
    ftp: named('demo-ftp'),
    ftps: named('demo-ftps'),
    https: named('demo-https'),
  };
}

/** Changes a server, whatever its version is now. */
export async function changeServer(
  { api }: Quickstart,
  id: string,
  patch: Parameters<Client['servers']['change']>[1],
): Promise<Server & { readonly changeSequence: number }> {
  return api.servers.change(id, patch, (await api.servers.get(id)).version);
}

/** Changes an account, whatever its version is now. */
export async function changeAccount(
  { api }: Quickstart,
  id: string,
  patch: Parameters<Client['accounts']['change']>[1],
): Promise<{ readonly changeSequence: number }> {
  return api.accounts.change(id, patch, (await api.accounts.get(id)).version);
}

/** Waits until every node of the demo zone runs a change. */
export async function untilLive({ api }: Quickstart, zone: string, changeSequence: number): Promise<void> {
  await eventually(async () =>
    expect(await api.propagation(zone, changeSequence)).toMatchObject({ state: 'live' }),
  );
}

/** The whole content of a file in the folder of an account on the node. */
export const storedFile = (quickstart: Quickstart, account: string, name: string): Promise<Buffer> =>
  readFile(join(quickstart.filesOf(account), name));

/** Puts a file into the folder of an account on the node, which the first login would make. */
export async function placeFile(
  quickstart: Quickstart,
  account: string,
  name: string,
  content: Uint8Array | string,
): Promise<void> {
  await mkdir(quickstart.filesOf(account), { recursive: true, mode: 0o700 });
  await writeFile(join(quickstart.filesOf(account), name), content, { mode: 0o600 });
}
