import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from '@sallyport/client';
import { eventually, startProcess } from '../../test/support/process.ts';
import type { SftpServer, Stage } from './server.ts';

const product = resolve(import.meta.dirname, '../..');

/** The fields of `quickstart.json` that are needed here. */
type Contract = {
  readonly processes: { readonly node: number };
  readonly nodeHome: string;
  readonly controlPlaneUrl: string;
  readonly apiToken: string;
  readonly servers: { readonly ssh: { readonly port: number } };
  readonly files: { readonly knownHosts: string; readonly sshKey: string };
  readonly account: { readonly name: string };
};

/**
 * The product as its quickstart sets it up: a control plane and one node, a process of its own, whose cost is what is
 * counted. Only the bound of sessions per account is raised.
 */
export async function startSallyport(stage: Stage): Promise<SftpServer> {
  const home = join(stage.folder, 'sallyport');
  const running = startProcess(process.execPath, [
    join(product, 'apps/cli/src/sallyport.mjs'),
    ...['quickstart', '--home', home, '--ports', 'auto', '--stop-with-stdin'],
  ]);
  const ended = running.exited.then((code) => {
    throw new Error(`the quickstart ended with ${code}: ${running.stdout()}${running.stderr()}`);
  });
  ended.catch(() => {});
  const read = async (): Promise<Contract> =>
    JSON.parse(await readFile(join(home, 'quickstart.json'), 'utf8')) as Contract;
  const contract = await Promise.race([eventually(read, { timeoutMs: 60_000 }), ended]);
  const { name } = contract.account;
  const api = createClient({ url: contract.controlPlaneUrl, token: contract.apiToken });
  const account = (await api.accounts.list()).find((one) => one.name === name);
  if (!account) throw new Error('the quickstart has no account');
  const changed = await api.accounts.change(account.id, { limits: { maxSessions: 10_000 } }, account.version);
  const zone = account.zones[0] as string;
  await eventually(async () => {
    if ((await api.propagation(zone, changed.changeSequence)).state !== 'live') throw new Error('not live');
  });
  return {
    name: 'sallyport',
    port: contract.servers.ssh.port,
    user: name,
    key: contract.files.sshKey,
    knownHosts: contract.files.knownHosts,
    folder: join(contract.nodeHome, 'files', name),
    remote: '/',
    pid: contract.processes.node,
    stop: async () => void (await running.stop(20_000)),
  };
}
