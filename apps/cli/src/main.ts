import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type ApiRequest, type Client, createClient } from '@sallyport/client';
import { unwrap } from '@sallyport/faults';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type OutputMode, printFailure, printResult } from './output.ts';
import type { QuickstartOptions } from './quickstart/quickstart.ts';
import { aborted, outliveLogReader, type StopOptions, stopOption, stopRequest } from './stop.ts';

const drainMs = 10_000;
const mostProcesses = 256;

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('a port is 0 to 65535');
  return port;
};

const processCount = (text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > mostProcesses)
    throw new InvalidArgumentError(`processes are 1 to ${mostProcesses}`);
  return count;
};

const processesOption = (): Option =>
  new Option('--processes <number>', 'processes that serve; 1 serves in the node’s own')
    .argParser(processCount)
    .default(Math.min(availableParallelism(), mostProcesses), 'one for each core');

const line = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Runs a command's work and prints its failure; the exit code says how it went. */
async function attempt(mode: OutputMode, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    printFailure(mode, error);
  }
}

type NodeRunOptions = {
  readonly home: string;
  readonly files?: string;
  readonly controlPlane?: string;
  readonly processes: number;
};

const modeOf = (options: { json?: boolean }): OutputMode => (options.json ? 'json' : 'text');
const jsonOption = () => new Option('--json', 'answer in JSON');

/** A client with the token of the environment; throws Error where there is none. */
function apiClient(url: string): Client {
  const token = process.env.SALLYPORT_TOKEN;
  if (!token) throw new Error('set SALLYPORT_TOKEN to an API token');
  return createClient({ url, token });
}

/**
 * `sallyport`: parses the command line and runs the command. What a command needs is loaded by that command: a node
 * never loads the database, and `--help` answers at once.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('sallyport')
    .description('Keys, certificates, accounts and entry rules of file-transfer gateways, from one place.')
    .addHelpText('after', '\nExit codes: 0 done, 1 the environment refuses, 2 the request is wrong.')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

  program
    .command('quickstart')
    .description('start a control plane and a node with a demo, everything on 127.0.0.1 (npm start)')
    .option('--home <folder>', 'where to keep everything', process.env.SALLYPORT_HOME ?? '.sallyport')
    .addOption(
      new Option('--ports <mode>', 'default: 8080, 2222, 2121, 2990, 8443; auto: free ones')
        .choices(['default', 'auto'])
        .default('default'),
    )
    .addOption(processesOption())
    .addOption(stopOption())
    .action(async (options: QuickstartOptions & StopOptions) => {
      outliveLogReader();
      const stop = stopRequest({ ...options, stopWithParent: process.env.npm_lifecycle_event === 'start' });
      const { quickstart } = await import('./quickstart/quickstart.ts');
      process.exitCode = await quickstart(options, stop, line);
    });

  program
    .command('init')
    .description('set up a new installation: database, keys, internal CA, root metadata and first token')
    .requiredOption('--database <url>', 'libSQL URL: file:…, libsql://…, https://…')
    .option('--database-token <token>', 'token of the libSQL server', process.env.SALLYPORT_DATABASE_TOKEN)
    .option('--root <folder>', 'where to write the root key', './sallyport-root')
    .addOption(jsonOption())
    .action(async (options: { database: string; databaseToken?: string; root: string; json?: boolean }) =>
      attempt(modeOf(options), async () => {
        const { initInstallation } = await import('./init.ts');
        const made = await initInstallation({
          databaseUrl: options.database,
          rootFolder: options.root,
          ...(options.databaseToken === undefined ? {} : { databaseToken: options.databaseToken }),
        });
        const secrets = Object.entries(made.secrets).map(([name, value]) => `  ${name}=${value}`);
        const text = [
          'Put these into the platform’s secrets; they are shown this once:',
          ...secrets,
          `First API token, all scopes, 90 days:\n  ${made.apiToken}`,
          `Root fingerprint:\n  ${made.rootFingerprint}`,
          `The root key is in ${made.rootFolder}: move it offline.`,
        ];
        printResult(modeOf(options), made, text.join('\n'));
      }),
    );

  program
    .command('migrate')
    .description('apply the migrations that a database does not have yet')
    .requiredOption('--database <url>', 'libSQL URL')
    .option('--database-token <token>', 'token of the libSQL server', process.env.SALLYPORT_DATABASE_TOKEN)
    .addOption(jsonOption())
    .action(async (options: { database: string; databaseToken?: string; json?: boolean }) =>
      attempt(modeOf(options), async () => {
        const { migrateDatabase } = await import('./migrate.ts');
        const schema = await migrateDatabase(options.database, options.databaseToken);
        printResult(modeOf(options), { schema }, `The database has schema ${schema}.`);
      }),
    );

  const controlPlane = program.command('control-plane').description('the control plane on Node');
  controlPlane
    .command('run')
    .description('serve the API; settings and secrets come from the environment or a file')
    .option('--secrets <file>', 'JSON file with SALLYPORT_* names; the environment where it is left out')
    .option('--host <address>', 'address to bind', '127.0.0.1')
    .option('--port <port>', 'port to bind', portNumber, 8080)
    .addOption(stopOption())
    .action(async (options: { secrets?: string; host: string; port: number } & StopOptions) =>
      attempt('text', async () => {
        outliveLogReader();
        const stop = stopRequest(options);
        const environment: Record<string, unknown> =
          options.secrets === undefined ? process.env : JSON.parse(await readFile(options.secrets, 'utf8'));
        const { startControlPlane } = await import('@sallyport/control-plane/node');
        const running = await startControlPlane(environment, { host: options.host, port: options.port });
        line(`control plane: ${running.url}`);
        await aborted(stop);
        await running.close();
      }),
    );

  const node = program.command('node').description('a data-plane node');
  node
    .command('join')
    .description('enrol this machine with a join token')
    .argument('<token>', 'as POST /v1/join-tokens answered it')
    .requiredOption('--home <folder>', 'where the node keeps its keys and snapshots')
    .option('--name <name>', 'name of the node; the machine’s where it is left out')
    .addOption(jsonOption())
    .action(async (token: string, options: { home: string; name?: string; json?: boolean }) =>
      attempt(modeOf(options), async () => {
        const { joinZone } = await import('@sallyport/data-plane/join');
        const joined = unwrap(await joinZone(token, options.home, options.name));
        const next =
          joined.state === 'pending'
            ? `An operator approves it: PATCH /v1/nodes/${joined.node} {"state":"active"}`
            : `Start it: sallyport node run --home ${options.home}`;
        printResult(modeOf(options), joined, `Joined as ${joined.node} (${joined.state}). ${next}`);
      }),
    );
  node
    .command('run')
    .description('serve what the zone’s snapshot says, with or without the control plane')
    .requiredOption('--home <folder>', 'folder that has joined')
    .option('--files <folder>', 'folder that holds the homes of accounts')
    .option('--control-plane <url>', 'reach the control plane under another URL than it had at the join')
    .addOption(processesOption())
    .addOption(stopOption())
    .action(async (options: NodeRunOptions & StopOptions) =>
      attempt('text', async () => {
        outliveLogReader();
        const stop = stopRequest(options);
        const { startNode } = await import('@sallyport/data-plane');
        const running = await startNode({
          home: options.home,
          processes: options.processes,
          nodeArguments: ['--import', new URL('./load-quickly.mjs', import.meta.url).href],
          log: (text) => line(`node: ${text}`),
          ...(options.files === undefined ? {} : { filesRoot: options.files }),
          ...(options.controlPlane === undefined ? {} : { controlPlane: options.controlPlane }),
        });
        await aborted(stop);
        await running.drain(drainMs);
      }),
    );

  const trust = program.command('trust').description('which CAs are trusted');
  const apiUrlOption = () =>
    new Option('--url <url>', 'control plane').default(process.env.SALLYPORT_URL ?? 'http://127.0.0.1:8080');
  trust
    .command('import-public-roots')
    .description('trust the public root CAs that come with this Node; nobody does unless you ask for it')
    .addOption(apiUrlOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nThe token comes from SALLYPORT_TOKEN and must reach all zones.')
    .action(async (options: { url: string; json?: boolean }) =>
      attempt(modeOf(options), async () => {
        const { rootCertificates } = await import('node:tls');
        const { importPublicRoots } = await import('./public-roots.ts');
        const report = await importPublicRoots(apiClient(options.url), rootCertificates);
        const { added, present, refused } = report;
        const text = `${added.length} added, ${present.length} there already, ${refused.length} refused`;
        const reasons = refused.map(
          ({ subject, reason }) => `  ${subject.replaceAll('\n', ', ')}: ${reason}`,
        );
        printResult(modeOf(options), report, [text, ...reasons].join('\n'));
      }),
    );
  trust
    .command('remove-public-roots')
    .description('take that trust back; a root that logins rest on stays')
    .addOption(apiUrlOption())
    .addOption(jsonOption())
    .action(async (options: { url: string; json?: boolean }) =>
      attempt(modeOf(options), async () => {
        const { removePublicRoots } = await import('./public-roots.ts');
        const report = await removePublicRoots(apiClient(options.url));
        const text = [
          `${report.removed.length} removed`,
          ...report.inUse.map((alias) => `  in use: ${alias}`),
        ];
        printResult(modeOf(options), report, text.join('\n'));
      }),
    );

  program
    .command('api')
    .description('send one request to the API, for scripts: sallyport api GET /v1/servers')
    .addArgument(program.createArgument('<method>').choices(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']))
    .argument('<path>', 'path and query')
    .option('--url <url>', 'control plane', process.env.SALLYPORT_URL ?? 'http://127.0.0.1:8080')
    .option('--data <json>', 'body')
    .option('--if-match <version>', 'version that was read', Number)
    .addHelpText('after', '\nThe token comes from SALLYPORT_TOKEN. The answer is JSON, a problem too.')
    .action(
      async (
        method: ApiRequest['method'],
        path: string,
        options: { url: string; data?: string; ifMatch?: number },
      ) =>
        attempt('json', async () => {
          const answer = await apiClient(options.url).request({
            method,
            path,
            ...(options.data === undefined ? {} : { body: JSON.parse(options.data) }),
            ...(options.ifMatch === undefined ? {} : { version: options.ifMatch }),
          });
          process.stdout.write(typeof answer === 'string' ? answer : `${JSON.stringify(answer, null, 2)}\n`);
        }),
    );

  await program.parseAsync([...argv]);
}
