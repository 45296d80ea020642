import { resolve } from 'node:path';
import { expect } from 'vitest';
import { startDeno } from '../support/deno.ts';
import { networkedInstallation } from './installation.ts';
import { apiSuite } from './suite.ts';

const entry = resolve(import.meta.dirname, '../../apps/control-plane/src/deno.ts');

apiSuite('Deno', async () => {
  const installation = await networkedInstallation();
  const { environment } = installation;
  const deno = await startDeno({
    entry,
    env: environment,
    mayRead: ['SALLYPORT_PUBLIC_URL'],
    // The database, and lists that are fetched.
    allowNet: [new URL(environment.SALLYPORT_DATABASE_URL ?? '').host, '127.0.0.1'],
  });
  return {
    ...installation,
    url: deno.url,
    stop: async () => {
      await deno.stop();
      expect(deno.stderr()).not.toMatch(/error|failed|not published/i);
      await installation.close();
    },
  };
});
