import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { initialise } from '@sallyport/api/init';
import { toBase64 } from '@sallyport/bytes';
import { openDatabase } from '@sallyport/control-plane/database';
import { loadSecrets, randomBytes } from '@sallyport/control-plane/secrets';
import { generateSigningKey, makeFirstRoot } from '@sallyport/snapshot';
import { createStore } from '@sallyport/store';
import { migrateDatabase } from './migrate.ts';

/** What the operator puts into the platform's secrets, by name. */
export type PlatformSecrets = {
  readonly SALLYPORT_KEY_ENCRYPTION_KEY: string;
  readonly SALLYPORT_SNAPSHOT_KEY: string;
  readonly SALLYPORT_TIMESTAMP_KEY: string;
};

export type InitResult = {
  readonly apiToken: string;
  readonly rootFingerprint: string;
  /** Folder that holds the root key; take it offline. */
  readonly rootFolder: string;
  readonly secrets: PlatformSecrets;
};

/**
 * Sets up an installation: migrates the database, makes keys, root metadata, internal CA and the first token.
 * The root key is written below `rootFolder` and nowhere else.
 *
 * @param databaseUrl any libSQL URL
 * @param rootFolder folder for the root key, made with mode 0700
 */
export async function initInstallation(options: {
  readonly databaseUrl: string;
  readonly databaseToken?: string;
  readonly rootFolder: string;
}): Promise<InitResult> {
  const rootFolder = resolve(options.rootFolder);
  await migrateDatabase(options.databaseUrl, options.databaseToken);
  const root = await generateSigningKey();
  const snapshot = await generateSigningKey();
  const timestamp = await generateSigningKey();
  const secrets: PlatformSecrets = {
    SALLYPORT_KEY_ENCRYPTION_KEY: toBase64(nodeRandomBytes(32)),
    SALLYPORT_SNAPSHOT_KEY: JSON.stringify(snapshot),
    SALLYPORT_TIMESTAMP_KEY: JSON.stringify(timestamp),
  };
  const firstRoot = await makeFirstRoot({ root, snapshot, timestamp });
  const { keys } = await loadSecrets(secrets);
  const { database, close } = await openDatabase(options.databaseUrl, options.databaseToken);
  try {
    const store = createStore(database, Date.now);
    const made = await initialise({ store, keys, randomBytes, now: Date.now }, firstRoot);
    await mkdir(rootFolder, { recursive: true, mode: 0o700 });
    await writeFile(join(rootFolder, 'root-key.json'), `${JSON.stringify(root)}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    await writeFile(join(rootFolder, '1.root.json'), firstRoot.envelope, { mode: 0o600 });
    return { ...made, rootFolder, secrets };
  } finally {
    close();
  }
}
