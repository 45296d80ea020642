import type { BenchOptions } from '../options.ts';
import { startProduct } from '../product.ts';
import type { Row } from '../rows.ts';
import { atLeast, atMost } from '../tls/scenario.ts';
import { handshakeCost, idleMemory, parallel, pinned, small } from '../tls/scenarios.ts';
import type { TlsServer, TlsStage } from '../tls/server.ts';
import { runTlsSuite } from '../tls/suite.ts';
import { startProFtpd } from './proftpd-server.ts';
import { startVsftpd } from './vsftpd-server.ts';

async function startOurs(stage: TlsStage): Promise<TlsServer> {
  const { contract, folder, stop } = await startProduct(stage.folder);
  return {
    name: 'sallyport',
    scheme: 'ftp',
    port: contract.servers.ftp.port,
    user: contract.account.name,
    password: contract.account.password,
    remote: '',
    folder,
    pid: contract.processes.node,
    stop,
  };
}

/** FTPS: ours beside vsftpd and ProFTPD; goals hold against the faster of them, that of the handshake against vsftpd. */
export const runFtpsSuite = (options: BenchOptions, progress: (line: string) => void): Promise<Row[]> =>
  runTlsSuite(
    {
      name: 'ftps',
      servers: [startOurs, startVsftpd, startProFtpd],
      scenarios: [
        pinned('download', atLeast(1.3)),
        pinned('upload', atLeast(1.4)),
        parallel('download', atLeast(1.1)),
        parallel('upload', atLeast(1.1)),
        handshakeCost(atMost(0.5)),
        small('upload', atLeast(1)),
        small('download', atLeast(1)),
        idleMemory,
      ],
    },
    options,
    progress,
  );
