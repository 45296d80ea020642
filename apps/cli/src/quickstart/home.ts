import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { PlatformSecrets } from '../init.ts';
import type { QuickstartPorts } from './ports.ts';

/** Where the quickstart keeps everything. */
export const quickstartPaths = (home: string) => {
  const at = (...names: string[]) => join(resolve(home), ...names);
  return {
    home: at(),
    contract: at('quickstart.json'),
    settings: at('settings.json'),
    controlPlane: at('control-plane'),
    secrets: at('control-plane', 'secrets.json'),
    database: at('control-plane', 'sallyport.db'),
    root: at('root'),
    node: at('node'),
    demo: at('demo'),
    knownHosts: at('demo', 'known_hosts'),
    ca: at('demo', 'ca.pem'),
    clientCert: at('demo', 'client.pem'),
    clientKey: at('demo', 'client.key'),
    sshKey: at('demo', 'id_ed25519'),
  };
};
export type QuickstartPaths = ReturnType<typeof quickstartPaths>;

/** What is remembered from one start to the next; it holds secrets and has mode 0600. */
export type QuickstartSettings = {
  readonly apiToken: string;
  readonly accountPassword: string;
  readonly ports: QuickstartPorts;
};

/** What runs the control plane: read by its process alone. */
export type ControlPlaneSecrets = PlatformSecrets & { readonly SALLYPORT_DATABASE_URL: string };

/** Makes the folders with mode 0700 and removes the contract of an earlier run: it speaks of a start that is over. */
export async function prepareHome(paths: QuickstartPaths): Promise<void> {
  for (const folder of [paths.home, paths.controlPlane, paths.node, paths.demo]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await rm(paths.contract, { force: true });
}

export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes by rename, mode 0600: a reader sees the old file or the whole new one. */
export async function writePrivate(path: string, content: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, content, { mode: 0o600 });
  await rename(temporary, path);
}
