import { createServer } from 'node:net';

/** Ports of the quickstart; `passive` is a range of 100. */
export type QuickstartPorts = {
  readonly controlPlane: number;
  readonly ssh: number;
  readonly ftp: number;
  readonly ftpsImplicit: number;
  readonly https: number;
  readonly passive: { readonly from: number; readonly to: number };
};

export const defaultPorts: QuickstartPorts = {
  controlPlane: 8080,
  ssh: 2222,
  ftp: 2121,
  ftpsImplicit: 2990,
  https: 8443,
  passive: { from: 50_000, to: 50_099 },
};

const loopback = '127.0.0.1';
const passiveCount = 100;

/** Can the port be bound on loopback now? 0 asks for any, and the one that was bound is answered. */
function bindable(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ host: loopback, port, exclusive: true }, () => {
      const address = probe.address();
      const bound = typeof address === 'object' && address ? address.port : undefined;
      probe.close(() => resolve(bound));
    });
  });
}

/** The names of the ports that are in use, with their numbers: `ssh 2222`. */
export async function portsInUse(ports: QuickstartPorts): Promise<string[]> {
  const named = Object.entries({
    'control plane': ports.controlPlane,
    ssh: ports.ssh,
    ftp: ports.ftp,
    'ftps (implicit)': ports.ftpsImplicit,
    https: ports.https,
  });
  const taken: string[] = [];
  for (const [name, port] of named) if ((await bindable(port)) === undefined) taken.push(`${name} ${port}`);
  return taken;
}

/** Free ports of this moment: single ones from the system, the passive range below its ephemeral ports. */
export async function freePorts(random: () => number): Promise<QuickstartPorts> {
  const picked = new Set<number>();
  const one = async (): Promise<number> => {
    for (;;) {
      const port = await bindable(0);
      if (port !== undefined && !picked.has(port)) {
        picked.add(port);
        return port;
      }
    }
  };
  return {
    controlPlane: await one(),
    ssh: await one(),
    ftp: await one(),
    ftpsImplicit: await one(),
    https: await one(),
    passive: await freeRange(random),
  };
}

/** Below 32768, where Linux takes the ports of outgoing connections from, so that none of those falls into it. */
async function freeRange(random: () => number): Promise<QuickstartPorts['passive']> {
  const lowest = 20_000;
  const slots = Math.floor((32_000 - lowest) / passiveCount);
  for (let attempt = 0; attempt < 100; attempt++) {
    const from = lowest + Math.floor(random() * slots) * passiveCount;
    const range = { from, to: from + passiveCount - 1 };
    const probes = await Promise.all(
      Array.from({ length: passiveCount }, (_, index) => bindable(from + index)),
    );
    if (probes.every((port) => port !== undefined)) return range;
  }
  throw new Error('there is no free range of 100 ports between 20000 and 32000');
}
