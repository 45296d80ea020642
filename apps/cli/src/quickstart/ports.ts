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

/** Can the port be bound on loopback now? */
function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host: loopback, port, exclusive: true }, () => {
      probe.close(() => resolve(true));
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
  for (const [name, port] of named) if (!(await bindable(port))) taken.push(`${name} ${port}`);
  return taken;
}

/**
 * Ports below 32768, where Linux takes those of outgoing connections from: none of them may hold ours while a server of
 * ours is down for a moment.
 */
const lowest = 20_000;
const highest = 31_999;
const attempts = 1_000;

/**
 * Free ports of this moment.
 *
 * @param random numbers from 0 up to 1
 */
export async function freePorts(random: () => number): Promise<QuickstartPorts> {
  const passive = await freeRange(random);
  const picked = new Set<number>();
  const one = async (): Promise<number> => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const port = lowest + Math.floor(random() * (highest - lowest + 1));
      const taken = picked.has(port) || (port >= passive.from && port <= passive.to);
      if (taken || !(await bindable(port))) continue;
      picked.add(port);
      return port;
    }
    throw new Error(`there is no free port between ${lowest} and ${highest}`);
  };
  return {
    controlPlane: await one(),
    ssh: await one(),
    ftp: await one(),
    ftpsImplicit: await one(),
    https: await one(),
    passive,
  };
}

async function freeRange(random: () => number): Promise<QuickstartPorts['passive']> {
  const slots = Math.floor((highest - lowest + 1) / passiveCount);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const from = lowest + Math.floor(random() * slots) * passiveCount;
    const range = { from, to: from + passiveCount - 1 };
    const probes = await Promise.all(
      Array.from({ length: passiveCount }, (_, index) => bindable(from + index)),
    );
    if (probes.every((free) => free)) return range;
  }
  throw new Error(`there is no free range of ${passiveCount} ports between ${lowest} and ${highest}`);
}
