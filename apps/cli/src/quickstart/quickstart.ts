import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient } from '@sallyport/client';
import { joinZone } from '@sallyport/data-plane/join';
import { nativeBindingLoaded } from '@sallyport/data-plane/ssh-binding';
import { migrateDatabase } from '../migrate.ts';
import { aborted } from '../stop.ts';
import {
  type ControlPlaneSecrets,
  prepareHome,
  type QuickstartPaths,
  type QuickstartSettings,
  quickstartPaths,
  readJson,
  writePrivate,
} from './home.ts';
import { defaultPorts, freePorts, portsInUse, type QuickstartPorts } from './ports.ts';
import { type Demo, seedDemo, writeTrustFiles } from './seed.ts';
import { supervise } from './supervisor.ts';

export type QuickstartOptions = {
  readonly home: string;
  readonly ports: 'default' | 'auto';
  /** Processes that serve. */
  readonly processes: number;
};

const readyTimeoutMs = 60_000;
const stopGraceMs = 15_000;
const entryPoint = resolve(import.meta.dirname, '../sallyport.mjs');

/**
 * `npm start`: control plane and node as two supervised processes, a demo seeded through the public API on the first
 * run, and the contract file of design section 7 once everything answers.
 *
 * @param stop asks it to stop
 * @returns the exit code
 */
export async function quickstart(
  options: QuickstartOptions,
  stop: AbortSignal,
  log: (line: string) => void,
): Promise<number> {
  const paths = quickstartPaths(options.home);
  const other = await runningIn(paths);
  if (other !== undefined) {
    log(`${paths.home} is in use by the quickstart with pid ${other}; stop it or take another --home`);
    return 1;
  }
  await prepareHome(paths);
  const remembered = await readJson<QuickstartSettings>(paths.settings);
  const ports = await choosePorts(options.ports, remembered?.ports);
  const taken = await portsInUse(ports);
  if (taken.length > 0) {
    log(`ports in use: ${taken.join(', ')}; stop what uses them or start with --ports auto`);
    return 1;
  }
  if (!nativeBindingLoaded()) {
    log(
      'warning: the native SSH binding is not loaded, SSH runs at about half the speed; npm run postinstall builds it',
    );
  }
  const settings = await firstSettings(paths, remembered, ports, log);

  const url = `http://127.0.0.1:${ports.controlPlane}`;
  const pids = { controlPlane: 0, node: 0 };
  let contract: (() => Promise<void>) | undefined;
  let writing = Promise.resolve();
  const started = (process_: keyof typeof pids) => (pid: number) => {
    pids[process_] = pid;
    // A child that is started again while we stop must not bring the contract back.
    writing = writing.then(() => contract?.()).catch((error) => log(`${paths.contract}: ${error.message}`));
  };
  const run = (...args: string[]) => [process.execPath, entryPoint, ...args];
  const children = [
    supervise(
      'control plane',
      run(
        'control-plane',
        'run',
        '--secrets',
        paths.secrets,
        '--port',
        String(ports.controlPlane),
        '--stop-with-stdin',
      ),
      process.env,
      log,
      started('controlPlane'),
    ),
  ];
  const stopAll = async () => {
    contract = undefined;
    await writing.catch(() => undefined);
    await rm(paths.contract, { force: true });
    // The node first: while it drains it still reports to the control plane.
    for (const child of [...children].reverse()) await child.stop(stopGraceMs);
  };

  try {
    await within(readyTimeoutMs, stop, async (stopped) => {
      await answers(url, stopped);
      const demo = await seedDemo(url, settings, paths);
      await joinOnce(url, settings, demo, paths);
      children.push(
        supervise(
          'node',
          run(
            'node',
            'run',
            '--home',
            paths.node,
            '--control-plane',
            url,
            '--processes',
            String(options.processes),
            '--stop-with-stdin',
          ),
          process.env,
          log,
          started('node'),
        ),
      );
      await live(url, settings, demo, stopped);
      await writeTrustFiles(url, settings, demo, paths);
      contract = () => writeContract(paths, settings, url, pids);
      writing = writing.then(contract);
      await writing;
      log(greeting(paths, settings, url));
    });
    // Both children may have been stopped, and are to stay down.
    await aborted(stop);
    await stopAll();
    return 0;
  } catch (error) {
    if (!stop.aborted) log(error instanceof Error ? error.message : String(error));
    await stopAll();
    return stop.aborted ? 0 : 1;
  }
}

/** The pid of a quickstart that has written this home's contract and still runs. */
async function runningIn(paths: QuickstartPaths): Promise<number | undefined> {
  const contract = await readJson<{ pid: number }>(paths.contract);
  const remembered = await readJson<QuickstartSettings>(paths.settings);
  if (!contract || !remembered) return undefined;
  try {
    process.kill(contract.pid, 0);
  } catch {
    return undefined;
  }
  // After a crash of the machine the pid may be another program's.
  return (await portsInUse(remembered.ports)).length > 0 ? contract.pid : undefined;
}

async function choosePorts(
  mode: 'default' | 'auto',
  before: QuickstartPorts | undefined,
): Promise<QuickstartPorts> {
  if (mode === 'default') return defaultPorts;
  if (before && (await portsInUse(before)).length === 0) return before;
  return freePorts(Math.random);
}

/** First run: database, keys, first token, demo password. Later runs: what was made then. */
async function firstSettings(
  paths: QuickstartPaths,
  remembered: QuickstartSettings | undefined,
  ports: QuickstartPorts,
  log: (line: string) => void,
): Promise<QuickstartSettings> {
  const databaseUrl = pathToFileURL(paths.database).href;
  if (remembered) {
    await migrateDatabase(databaseUrl);
    const settings = { ...remembered, ports };
    await writePrivate(paths.settings, `${JSON.stringify(settings, null, 2)}\n`);
    return settings;
  }
  log('first start: making keys and the database');
  // Without settings nothing made earlier can be used: a first start that was cut short begins again.
  for (const left of [paths.controlPlane, paths.root, paths.node, paths.demo])
    await rm(left, { recursive: true, force: true });
  await prepareHome(paths);
  const { initInstallation } = await import('../init.ts');
  const made = await initInstallation({ databaseUrl, rootFolder: paths.root });
  const secrets: ControlPlaneSecrets = { ...made.secrets, SALLYPORT_DATABASE_URL: databaseUrl };
  await writePrivate(paths.secrets, `${JSON.stringify(secrets, null, 2)}\n`);
  const settings = { apiToken: made.apiToken, accountPassword: randomBytes(15).toString('base64url'), ports };
  await writePrivate(paths.settings, `${JSON.stringify(settings, null, 2)}\n`);
  return settings;
}

/** Runs the start-up, and gives up when it takes too long or is asked to stop. */
async function within(
  timeoutMs: number,
  stop: AbortSignal,
  work: (stopped: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Error(`not ready after ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    await work(AbortSignal.any([controller.signal, stop]));
  } finally {
    clearTimeout(timer);
  }
}

async function until(stopped: AbortSignal, condition: () => Promise<boolean>): Promise<void> {
  for (;;) {
    stopped.throwIfAborted();
    if (await condition().catch(() => false)) return;
    await pause(25);
  }
}

/** Waits for the port first: to knock there costs nothing, and who is starting needs the processor. */
async function answers(url: string, stopped: AbortSignal): Promise<void> {
  await until(stopped, () => connects(Number(new URL(url).port)));
  await until(stopped, async () => (await fetch(`${url}/v1/health`)).ok);
}

async function joinOnce(
  url: string,
  settings: QuickstartSettings,
  demo: Demo,
  paths: QuickstartPaths,
): Promise<void> {
  if (await readJson(join(paths.node, 'identity.json'))) return;
  const client = createClient({ url, token: settings.apiToken });
  const taken = new Set((await client.nodes.list()).map(({ name }) => name));
  let nodeName = 'demo-node';
  for (let number = 2; taken.has(nodeName); number++) nodeName = `demo-node-${number}`;
  const { joinToken } = await client.joinTokens.create({ zone: demo.zone.id, nodeName });
  const joined = await joinZone(joinToken, paths.node);
  if (!joined.ok)
    throw new Error(`the node could not join: ${joined.fault.code} ${joined.fault.detail ?? ''}`);
}

/** Ready means: every port takes connections, and the node has applied what was seeded. */
async function live(
  url: string,
  settings: QuickstartSettings,
  demo: Demo,
  stopped: AbortSignal,
): Promise<void> {
  const { ssh, ftp, ftpsImplicit, https } = settings.ports;
  for (const port of [ssh, ftp, ftpsImplicit, https]) await until(stopped, () => connects(port));
  const client = createClient({ url, token: settings.apiToken });
  await until(stopped, async () => {
    const propagation = await client.propagation(demo.zone.id, demo.changeSequence);
    return propagation.state === 'live' && propagation.nodes.length > 0;
  });
}

const connects = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });

function writeContract(
  paths: QuickstartPaths,
  settings: QuickstartSettings,
  url: string,
  pids: { readonly controlPlane: number; readonly node: number },
): Promise<void> {
  const { ports } = settings;
  const host = '127.0.0.1';
  const contract = {
    ready: true,
    pid: process.pid,
    processes: pids,
    nodeHome: paths.node,
    controlPlaneUrl: url,
    openapiUrl: `${url}/v1/openapi.json`,
    apiToken: settings.apiToken,
    servers: {
      ssh: { host, port: ports.ssh },
      ftp: { host, port: ports.ftp, passive: [ports.passive.from, ports.passive.to] },
      ftpsImplicit: { host, port: ports.ftpsImplicit },
      https: { host, port: ports.https },
    },
    files: {
      knownHosts: paths.knownHosts,
      ca: paths.ca,
      clientCert: paths.clientCert,
      clientKey: paths.clientKey,
      sshKey: paths.sshKey,
    },
    account: { name: 'demo', password: settings.accountPassword },
  };
  return writePrivate(paths.contract, `${JSON.stringify(contract, null, 2)}\n`);
}

function greeting(paths: QuickstartPaths, settings: QuickstartSettings, url: string): string {
  const { ports, accountPassword } = settings;
  const { knownHosts, sshKey, ca, clientCert, clientKey } = paths;
  return `
Sallyport is ready. A key made in the control plane has travelled in a signed snapshot to a node, which serves:

  SFTP    sftp -P ${ports.ssh} -i ${sshKey} -o UserKnownHostsFile=${knownHosts} -o StrictHostKeyChecking=yes demo@127.0.0.1
  FTPS    curl --ssl-reqd --cacert ${ca} --user 'demo:${accountPassword}' ftp://127.0.0.1:${ports.ftp}/
  HTTPS   curl --cacert ${ca} --cert ${clientCert} --key ${clientKey} https://127.0.0.1:${ports.https}/
  API     curl -H 'Authorization: Bearer ${settings.apiToken}' ${url}/v1/servers

Account demo, password ${accountPassword}. Everything above is also in ${paths.contract}.
Stop with Ctrl-C.
`;
}
