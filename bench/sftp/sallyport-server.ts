import { startProduct } from '../product.ts';
import type { SftpServer, Stage } from './server.ts';

/** The product's SFTP server. */
export async function startSallyport(stage: Stage): Promise<SftpServer> {
  const { contract, folder, stop } = await startProduct(stage.folder);
  return {
    name: 'sallyport',
    port: contract.servers.ssh.port,
    user: contract.account.name,
    key: contract.files.sshKey,
    knownHosts: contract.files.knownHosts,
    folder,
    remote: '/',
    pid: contract.processes.node,
    stop,
  };
}
