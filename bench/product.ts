import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from '@sallyport/client';
import { eventually, startProcess } from '../test/support/process.ts';

const product = resolve(import.meta.dirname, '..');

/** The product, running with one account. */
export type RunningProduct = {
  readonly contract: Contract;
  /** Folder of the account's files. */
  readonly folder: string;
  readonly stop: () => Promise<void>;
};

/** The fields of `quickstart.json` that are needed here. */
type Contract = {
  readonly processes: { readonly node: number };
  readonly nodeHome: string;
  readonly controlPlaneUrl: string;
  readonly apiToken: string;
  readonly servers: Readonly<Record<'ssh' | 'ftp' | 'https', { readonly port: number }>>;
  readonly files: { readonly knownHosts: string; readonly sshKey: string };
  readonly account: { readonly name: string; readonly password: string };
};

/**
 * The product as its quickstart sets it up: a control plane and one node, a process of its own, whose cost is what is
 * counted. Only the bound of sessions per account is raised.
 */
export async function startProduct(folder: string): Promise<RunningProduct> {
  const home = join(folder, 'sallyport');
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
    contract,
    folder: join(contract.nodeHome, 'files', name),
    stop: async () => void (await running.stop(20_000)),
  };
}
