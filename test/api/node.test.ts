import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startControlPlane } from '@sallyport/control-plane/node';
import { expect, test } from 'vitest';
import { embeddedInstallation } from './installation.ts';
import { apiSuite } from './suite.ts';
import { joinedNode } from './test-node.ts';
import { createWorld } from './world.ts';

const anyPort = { host: '127.0.0.1', port: 0 };

apiSuite('Node', async () => {
  const installation = await embeddedInstallation();
  const logged: unknown[] = [];
  const log = (...line: unknown[]) => void logged.push(line);
  const running = await startControlPlane(installation.environment, anyPort, log);
  return {
    ...installation,
    url: running.url,
    stop: async () => {
      await running.close();
      expect(logged).toEqual([]);
    },
  };
});

test('it closes at once although a node waits, ends what it has begun, and goes on from its file', async () => {
  const installation = await embeddedInstallation();
  const logged: unknown[] = [];
  const start = () => startControlPlane(installation.environment, anyPort, (...line) => logged.push(line));
  const running = await start();
  let url = running.url;
  const world = createWorld(() => ({ ...installation, url, stop: running.close }));
  const zone = await world.zone();
  const node = await joinedNode(world, zone);
  const { manifest } = await node.snapshot();
  const waiting = node.poll({ after: manifest.version, wait: 25 }).catch((error: Error) => error.name);
  const creating = world.account(await world.zone(), { password: 'correct horse' });
  await expect.poll(async () => (await world.admin().accounts.list()).length, { timeout: 10_000 }).toBe(1);

  const started = performance.now();
  await running.close();
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(await creating).toMatchObject({ password: 'set' });
  expect(await waiting).toBe('TypeError');
  await expect(fetch(`${url}/v1/health`)).rejects.toThrow();

  const again = await start();
  url = again.url;
  expect(await world.admin().accounts.list()).toHaveLength(1);
  await again.close();
  expect(logged).toEqual([]);
});

test('it does not start on a port in use, without its secrets or on a database that has no tables', async () => {
  const { environment } = await embeddedInstallation();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  await expect(startControlPlane(environment, { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await new Promise((resolve) => taken.close(resolve));

  const { SALLYPORT_SNAPSHOT_KEY: _key, ...lacking } = environment;
  await expect(startControlPlane(lacking, anyPort)).rejects.toThrow('SALLYPORT_SNAPSHOT_KEY');
  const empty = `${environment.SALLYPORT_DATABASE_URL}.other`;
  await expect(startControlPlane({ ...environment, SALLYPORT_DATABASE_URL: empty }, anyPort)).rejects.toThrow(
    'sallyport init',
  );
});
