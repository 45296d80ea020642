import type { BenchOptions } from '../options.ts';
import { startProduct } from '../product.ts';
import type { Row } from '../rows.ts';
import { atLeast } from '../tls/scenario.ts';
import { handshakeCost, idleMemory, parallel, pinned } from '../tls/scenarios.ts';
import type { TlsServer, TlsStage } from '../tls/server.ts';
import { runTlsSuite } from '../tls/suite.ts';
import { startNginx } from './nginx-server.ts';

async function startOurs(stage: TlsStage): Promise<TlsServer> {
  const { contract, folder, stop } = await startProduct(stage.folder);
  return {
    name: 'sallyport',
    scheme: 'https',
    port: contract.servers.https.port,
    user: contract.account.name,
    password: contract.account.password,
    remote: '',
    folder,
    pid: contract.processes.node,
    stop,
  };
}

/** HTTPS: ours, which asks for a password, beside nginx, which does not. */
export const runHttpsSuite = (options: BenchOptions, progress: (line: string) => void): Promise<Row[]> =>
  runTlsSuite(
    {
      name: 'https',
      servers: [startOurs, startNginx],
      scenarios: [
        pinned('download', atLeast(0.9)),
        parallel('download', undefined),
        handshakeCost(undefined),
        idleMemory,
      ],
    },
    options,
    progress,
  );
