// The node is killed ten times over, each time at another moment of taking in changes. From whatever lies on its disk
// then it comes back with a version that is whole and not older, serves, and ends up with the last change.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, startProcess } from '../support/process.ts';
import { makeSshKey } from './support/partner.ts';
import {
  changeServer,
  type Demo,
  demoOf,
  isAlive,
  node,
  type Quickstart,
  sallyport,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';
import { sftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

const rounds = 10;

let quickstart: Quickstart;
let demo: Demo;
let running: RunningProcess;

beforeAll(async () => {
  quickstart = await startQuickstart();
  demo = await demoOf(quickstart);
  // The supervisor waits longer before each start of a child that keeps crashing: this story does its work itself.
  const { node: pid } = quickstart.contract.processes;
  process.kill(pid, 'SIGTERM');
  await eventually(() => expect(isAlive(pid)).toBe(false), { timeoutMs: 20_000 });
  running = startNode();
  await firstVersion();
});
afterAll(async () => {
  expect(await running.stop(20_000)).toBe(0);
  await quickstart.stop();
});

const startNode = (): RunningProcess =>
  startProcess(node, [
    sallyport,
    'node',
    'run',
    '--home',
    quickstart.contract.nodeHome,
    '--processes',
    '1',
    '--stop-with-stdin',
  ]);

const versionsOf = ({ stdout }: RunningProcess): number[] =>
  [...stdout().matchAll(/running version (\d+)/g)].map(([, version]) => Number(version));

/** The version that the running node has begun with. */
const firstVersion = (): Promise<number> =>
  eventually(
    () => {
      const [first] = versionsOf(running);
      if (first === undefined) throw new Error(`no version yet\n${running.stdout()}${running.stderr()}`);
      return first;
    },
    { timeoutMs: 20_000 },
  );

/** Changes that move other sections each: servers, policy, accounts. Nobody waits for them to be live. */
async function makeChanges(
  round: number,
): Promise<{ readonly key: string; readonly changeSequence: number }> {
  const { api } = quickstart;
  const { file, publicKey } = await makeSshKey(`round-${round}`);
  const account = (await api.accounts.list()).find(({ name }) => name === 'demo');
  await changeServer(quickstart, demo.ssh.id, { banner: `round ${round}` });
  await api.accounts.create({ name: `round-${round}`, zones: [demo.zone.id] });
  const { changeSequence } = await api.certificates.create({
    source: 'import',
    kind: 'login',
    alias: `round-${round}`,
    account: account?.id,
    text: publicKey,
  });
  return { key: file, changeSequence };
}

test(`comes back ${rounds} times`, async () => {
  const key = quickstart.contract.files.sshKey;
  let newest: Awaited<ReturnType<typeof makeChanges>> | undefined;
  for (let round = 0; round < rounds; round++) {
    const before = versionsOf(running).at(-1) ?? 0;
    const changing = makeChanges(round);
    await pause(20 + 17 * round);
    running.kill('SIGKILL');
    await running.exited;
    newest = await changing;

    running = startNode();
    expect(await firstVersion()).toBeGreaterThanOrEqual(before);
    expect(running.stdout()).not.toContain('not usable');
    const { code, stderr } = await sftp(quickstart.contract, { key }, 'pwd\n');
    expect(code, `${stderr}${running.stdout()}${running.stderr()}`).toBe(0);
  }
  if (newest) await untilLive(quickstart, demo.zone.id, newest.changeSequence);
  const last = await sftp(quickstart.contract, { key: newest?.key ?? '' }, 'pwd\n');
  expect(last).toMatchObject({ code: 0, stderr: expect.stringContaining(`round ${rounds - 1}`) });
});

test('and keeps nothing of what was cut', async () => {
  const home = quickstart.contract.nodeHome;
  expect((await readdir(home)).sort()).toEqual(['files', 'identity.json', 'root.json', 'snapshot', 'spool']);
  expect((await readdir(join(home, 'snapshot'))).sort()).toEqual(['blobs', 'current.json']);
  for (const blob of await readdir(join(home, 'snapshot', 'blobs'))) expect(blob).toMatch(/^[0-9a-f]{64}$/);
});
