import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { initInstallation } from '@sallyport/cli/init';
import { startHranaServer } from '../support/hrana-server.ts';
import { temporaryFolder } from '../support/process.ts';

/** A fresh installation that a control plane can be started on. */
export type Installation = {
  /** Settings and secrets, as a platform gives them. */
  readonly environment: Readonly<Record<string, string>>;
  /** First API token, with every scope. */
  readonly apiToken: string;
  /** SHA-256 of the root metadata. */
  readonly rootFingerprint: string;
  /** Path of the database file. */
  readonly databaseFile: string;
  readonly close: () => Promise<void>;
};

/** Initialises an embedded database file. */
export async function embeddedInstallation(): Promise<Installation> {
  const databaseFile = join(temporaryFolder(), 'control-plane.db');
  const databaseUrl = `file:${databaseFile}`;
  return made(databaseFile, { SALLYPORT_DATABASE_URL: databaseUrl }, async () => {});
}

/** Initialises a database over HTTP, as Workers and Deno reach it. */
export async function networkedInstallation(): Promise<Installation> {
  const databaseFile = join(temporaryFolder(), 'control-plane.db');
  const databaseToken = randomBytes(16).toString('hex');
  const server = await startHranaServer({ file: databaseFile, authToken: databaseToken });
  const settings = { SALLYPORT_DATABASE_URL: server.url, SALLYPORT_DATABASE_TOKEN: databaseToken };
  try {
    return await made(databaseFile, settings, server.close);
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function made(
  databaseFile: string,
  settings: { readonly SALLYPORT_DATABASE_URL: string; readonly SALLYPORT_DATABASE_TOKEN?: string },
  close: () => Promise<void>,
): Promise<Installation> {
  const { SALLYPORT_DATABASE_URL: databaseUrl, SALLYPORT_DATABASE_TOKEN: databaseToken } = settings;
  const { apiToken, rootFingerprint, secrets } = await initInstallation({
    databaseUrl,
    ...(databaseToken === undefined ? {} : { databaseToken }),
    rootFolder: temporaryFolder(),
  });
  // The lists that the suite has fetched are on this machine.
  const environment = { ...settings, ...secrets, SALLYPORT_CRL_INNER_ADDRESSES: 'allowed' };
  return { environment, apiToken, rootFingerprint, databaseFile, close };
}
