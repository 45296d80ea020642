// A second node in the zone of a quickstart: another machine as far as the product can tell, on other ports of this one.
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually, freePort, run, startProcess, temporaryFolder } from '../../support/process.ts';
import { type Contract, demoOf, node, type Quickstart, sallyport } from './quickstart.ts';

export type SecondNode = {
  readonly id: string;
  /** The quickstart's contract with this node's ports. */
  readonly contract: Contract;
  /** What OpenSSH needs to know the host keys by: they are the zone's. */
  readonly sshOptions: readonly string[];
  readonly stop: () => Promise<void>;
};

/** Joins another node into the demo zone and waits until it serves. */
export async function startSecondNode(quickstart: Quickstart): Promise<SecondNode> {
  const { api, contract } = quickstart;
  const demo = await demoOf(quickstart);
  const home = join(temporaryFolder(), 'node');
  const { joinToken } = await api.joinTokens.create({ zone: demo.zone.id, nodeName: 'second' });
  const joined = await run(node, [sallyport, 'node', 'join', joinToken, '--home', home, '--json']);
  expect(joined).toMatchObject({ code: 0 });
  const { node: id } = JSON.parse(joined.stdout) as { node: string };
  const [ssh, ftp, ftps, https] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const overrides = [
    { server: demo.ssh.id, port: ssh },
    { server: demo.ftp.id, port: ftp },
    { server: demo.ftps.id, port: ftps },
    { server: demo.https.id, port: https },
  ];
  const { version } = await api.nodes.get(id);
  const { changeSequence } = await api.nodes.change(id, { overrides }, version);
  const running = startProcess(node, [sallyport, 'node', 'run', '--home', home], { cwd: temporaryFolder() });
  await eventually(
    async () =>
      expect(await api.propagation(demo.zone.id, changeSequence), running.stdout()).toMatchObject({
        state: 'live',
      }),
    { timeoutMs: 60_000, everyMs: 100 },
  );
  const { servers } = contract;
  const at = <A extends object>(address: A, port: number): A => ({ ...address, port });
  return {
    id,
    contract: {
      ...contract,
      servers: {
        ssh: at(servers.ssh, ssh),
        ftp: at(servers.ftp, ftp),
        ftpsImplicit: at(servers.ftpsImplicit, ftps),
        https: at(servers.https, https),
      },
    },
    sshOptions: ['-o', `HostKeyAlias=[${servers.ssh.host}]:${servers.ssh.port}`],
    stop: async () => {
      expect(await running.stop(40_000)).toBe(0);
    },
  };
}
