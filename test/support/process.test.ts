import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  eventually,
  freePort,
  removeTemporaryFolders,
  run,
  startProcess,
  temporaryFolder,
} from './process.ts';

const node = (script: string) => ['-e', script] as const;

test('run answers status, both outputs and passes input, environment and folder on', async () => {
  const folder = temporaryFolder();
  const script = `
    process.stdin.on('data', (d) => process.stdout.write(d)).on('end', () => {
      process.stderr.write(process.env.GREETING + ' ' + process.cwd() + ' ' + process.env.HOME);
      process.exit(3);
    });`;
  const result = await run(process.execPath, node(script), {
    input: 'in',
    env: { GREETING: 'hi', HOME: undefined },
    cwd: folder,
  });
  expect(result).toEqual({ code: 3, stdout: 'in', stderr: `hi ${folder} undefined` });
});

test('run does not mind a program that ends without reading its input', async () => {
  expect((await run(process.execPath, node(''), { input: 'x'.repeat(1 << 20) })).code).toBe(0);
});

test('run rejects a program that does not exist', async () => {
  await expect(run('/no/such/program')).rejects.toThrow('ENOENT');
});

test('run kills a program that takes too long together with what it has started', async () => {
  const folder = temporaryFolder();
  const pidFile = join(folder, 'pid');
  const script = `
    const child = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' });
    require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
    process.stdout.write('waiting'); setInterval(() => {}, 1000);`;
  await expect(run('bash', ['-c', 'echo waiting; sleep 60'], { timeoutMs: 150 })).rejects.toThrow(
    /did not end within 150 ms\nstdout: waiting/,
  );
  const started = startProcess(process.execPath, node(script));
  await eventually(() => expect(started.stdout()).toBe('waiting'));
  started.kill('SIGKILL');
  expect(await started.exited).toBeNull();
});

test('stop asks first and kills a program that does not listen', async () => {
  const polite = startProcess(
    process.execPath,
    node(`process.on('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1000); console.log('up')`),
  );
  const deaf = startProcess(
    process.execPath,
    node(`process.on('SIGTERM', () => {});
    setInterval(() => {}, 1000); console.log('up')`),
  );
  await eventually(() => expect([polite.stdout(), deaf.stdout()]).toEqual(['up\n', 'up\n']));
  expect(await polite.stop()).toBe(7);
  expect(await deaf.stop(50)).toBeNull();
  expect(await deaf.stop(50)).toBeNull();
});

test('a free port refuses connections and can be listened on', async () => {
  const port = await freePort();
  await expect(
    new Promise((resolve, reject) => connect(port, '127.0.0.1', () => resolve('open')).once('error', reject)),
  ).rejects.toThrow('ECONNREFUSED');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
});

test('temporary folders are private, distinct, and gone with their content at the end', () => {
  const [a, b] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(a, 'file'), '');
  expect(a).not.toBe(b);
  expect(statSync(a).mode & 0o777).toBe(0o700);
  removeTemporaryFolders();
  expect([existsSync(a), existsSync(b)]).toEqual([false, false]);
});

test('eventually answers the first success and throws the last failure', async () => {
  let calls = 0;
  const third = () => {
    calls += 1;
    if (calls < 3) throw new Error(`call ${calls}`);
    return calls;
  };
  expect(await eventually(third, { everyMs: 1 })).toBe(3);
  await expect(
    eventually(() => Promise.reject(new Error('never')), { timeoutMs: 20, everyMs: 1 }),
  ).rejects.toThrow('never');
});
