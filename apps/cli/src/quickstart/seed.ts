import { access } from 'node:fs/promises';
import { type Client, createClient } from '@sallyport/client';
import { unwrap } from '@sallyport/faults';
import type { Account, Certificate, Server, ServerPatch, Zone } from '@sallyport/model';
import { generateKeyPair, opensshPrivateKey, sshBlobOf, sshPublicKeyLine } from '@sallyport/pki';
import { type QuickstartPaths, type QuickstartSettings, writePrivate } from './home.ts';

const demoAccount = 'demo';
const names = { ssh: 'demo-ssh', ftp: 'demo-ftp', ftpsImplicit: 'demo-ftps', https: 'demo-https' } as const;
const sans = [
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
  { type: 'dns', value: 'localhost' },
] as const;

/** What the demo consists of, and the newest change that it needs. */
export type Demo = {
  readonly zone: Zone;
  readonly servers: Readonly<Record<keyof typeof names, Server>>;
  readonly changeSequence: number;
};

/**
 * Brings the demo into being through the public API, and to the ports of this start. What is there is left as it is,
 * so that a first start that was cut short is finished by the next one, and an operator's changes stay.
 */
export async function seedDemo(
  url: string,
  settings: QuickstartSettings,
  paths: QuickstartPaths,
): Promise<Demo> {
  const client = createClient({ url, token: settings.apiToken });
  let changeSequence = 0;
  const changed = <T extends { changeSequence: number }>(answer: T): T => {
    changeSequence = Math.max(changeSequence, answer.changeSequence);
    return answer;
  };

  const zone =
    (await client.zones.list()).find(({ name }) => name === 'demo') ??
    changed(await client.zones.create({ name: 'demo', kind: 'internal' }));
  const certificates = await client.certificates.list();
  const local = async (alias: string, purpose: 'ssh' | 'tls'): Promise<Certificate> =>
    certificates.find((row) => row.kind === 'local' && row.alias === alias) ??
    changed(
      await client.certificates.create({
        source: 'generate',
        kind: 'local',
        alias,
        zones: [zone.id],
        purpose,
        ...(purpose === 'tls' ? { subject: { commonName: 'localhost' }, sans: [...sans] } : {}),
      }),
    );
  const hostKey = await local('demo-ssh', 'ssh');
  const tls = await local('demo-tls', 'tls');

  const existing = await client.servers.list();
  const server = async (
    name: string,
    body: Parameters<Client['servers']['create']>[0],
    patch: ServerPatch,
  ) => {
    const found = existing.find((row) => row.name === name);
    if (!found) return changed(await client.servers.create(body));
    return isAt(found, patch) ? found : changed(await client.servers.change(found.id, patch, found.version));
  };
  const { ports } = settings;
  const common = { zone: zone.id, host: '127.0.0.1', clientCertificate: 'optional' } as const;
  const passive = ports.passive;
  const ftp = (port: number, implicitTls: boolean) => ({
    ...common,
    protocol: 'ftp' as const,
    port,
    certificates: [tls.id],
    ftp: { ...ftpDefaults, explicitTls: !implicitTls, implicitTls, passive },
  });
  const ftpPatch = (port: number, found: string): ServerPatch => {
    const row = existing.find(({ name }) => name === found);
    return { port, ...(row?.protocol === 'ftp' ? { ftp: { ...row.ftp, passive } } : {}) };
  };
  const servers = {
    ssh: await server(
      names.ssh,
      { ...common, name: names.ssh, protocol: 'ssh', port: ports.ssh, certificates: [hostKey.id] },
      { port: ports.ssh },
    ),
    ftp: await server(
      names.ftp,
      { ...ftp(ports.ftp, false), name: names.ftp },
      ftpPatch(ports.ftp, names.ftp),
    ),
    ftpsImplicit: await server(
      names.ftpsImplicit,
      { ...ftp(ports.ftpsImplicit, true), name: names.ftpsImplicit },
      ftpPatch(ports.ftpsImplicit, names.ftpsImplicit),
    ),
    https: await server(
      names.https,
      { ...common, name: names.https, protocol: 'http', port: ports.https, certificates: [tls.id] },
      { port: ports.https },
    ),
  };

  const account =
    (await client.accounts.list()).find(({ name }) => name === demoAccount) ??
    changed(
      await client.accounts.create({
        name: demoAccount,
        zones: [zone.id],
        password: settings.accountPassword,
      }),
    );
  await seedCredentials(client, account, certificates, paths, changed);
  return { zone, servers, changeSequence };
}

const ftpDefaults = {
  plain: false,
  passiveAddressRules: [] as never[],
  tlsSessionReuse: 'preferred',
  closeNotify: 'required',
  nameEncoding: 'utf-8',
} as const;

const isAt = (server: Server, patch: ServerPatch): boolean =>
  Object.entries(patch).every(
    ([field, value]) => JSON.stringify(server[field as keyof Server]) === JSON.stringify(value),
  );

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The demo's SSH key and client certificate; a private key whose file is gone is replaced under another alias. */
async function seedCredentials(
  client: Client,
  account: Account,
  certificates: readonly Certificate[],
  paths: QuickstartPaths,
  changed: <T extends { changeSequence: number }>(answer: T) => T,
): Promise<void> {
  const free = (alias: string): string => {
    const taken = new Set(certificates.filter(({ kind }) => kind === 'login').map((row) => row.alias));
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? alias : `${alias}-${number}`;
      if (!taken.has(candidate)) return candidate;
    }
  };
  if (!(await isThere(paths.sshKey))) {
    const pair = await generateKeyPair('ed25519');
    const publicKey = sshPublicKeyLine(unwrap(sshBlobOf(pair.spki)), 'demo');
    changed(
      await client.certificates.create({
        source: 'import',
        kind: 'login',
        alias: free('demo-key'),
        account: account.id,
        text: publicKey,
      }),
    );
    await writePrivate(`${paths.sshKey}.pub`, `${publicKey}\n`);
    await writePrivate(paths.sshKey, await opensshPrivateKey(pair.privateKey, 'demo'));
  }
  if (!(await isThere(paths.clientKey)) || !(await isThere(paths.clientCert))) {
    const issued = changed(
      await client.certificates.create({
        source: 'generate',
        kind: 'login',
        alias: free('demo-client'),
        account: account.id,
        handOut: { format: 'pem' },
      }),
    );
    await writePrivate(paths.clientCert, issued.pem);
    await writePrivate(paths.clientKey, Buffer.from(issued.handedOut?.data ?? '', 'base64').toString());
  }
}

/** Writes what clients verify us by: the host keys and the internal CA, as they are now. */
export async function writeTrustFiles(
  url: string,
  settings: QuickstartSettings,
  demo: Demo,
  paths: QuickstartPaths,
): Promise<void> {
  const client = createClient({ url, token: settings.apiToken });
  await writePrivate(paths.knownHosts, await client.servers.knownHosts(demo.servers.ssh.id));
  const cas = await client.certificates.list({ kind: 'internal-ca' });
  await writePrivate(paths.ca, cas.map(({ pem }) => pem).join(''));
}
