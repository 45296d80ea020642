import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { EventBatch, NodeStatus } from '@sallyport/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ControlPlane } from './control-plane.ts';
import { openEventSpool } from './event-spool.ts';
import { createReporter, type StatusFacts } from './reporter.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reporter-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A control plane that answers reports as a story has it. */
function answering(answers: { events?: () => Result<void> | 'unreachable'; status?: () => Result<void> }) {
  const batches: EventBatch[] = [];
  const statuses: NodeStatus[] = [];
  const control: ControlPlane = {
    poll: async () => 'unreachable',
    section: async () => undefined,
    async status(status) {
      statuses.push(status);
      return answers.status?.() ?? ok(undefined);
    },
    async events(batch) {
      batches.push(batch);
      return answers.events?.() ?? ok(undefined);
    },
  };
  return { control, batches, statuses };
}

const login = { kind: 'login', outcome: 'refused', reason: 'password-wrong' } as const;
const idle: StatusFacts = {
  appliedVersion: 1,
  serving: 'serving',
  items: [],
  sessions: { total: 0, items: [] },
};

it('keeps events while the control plane is away and delivers them once it is back', async () => {
  const spool = await openEventSpool(
    folder,
    () => 1_000,
    () => {},
  );
  let away = true;
  const { control, batches } = answering({ events: () => (away ? 'unreachable' : ok(undefined)) });
  const reporter = createReporter(control, spool, () => 1_000);
  spool.add(login);
  await reporter.deliver();
  away = false;
  spool.add(login);
  await reporter.deliver();
  const delivered = batches.slice(1).flatMap(({ events }) => events);
  expect(delivered).toHaveLength(2);
  expect(await spool.oldest()).toBeUndefined();
});

it('gives up a batch that is refused for good, says so, and delivers what comes after it', async () => {
  const spool = await openEventSpool(
    folder,
    () => 1_000,
    () => {},
  );
  const answers = [refuse('invalid-request'), ok(undefined)];
  const { control, batches } = answering({ events: () => answers.shift() ?? ok(undefined) });
  const lines: string[] = [];
  const reporter = createReporter(
    control,
    spool,
    () => 1_000,
    (line) => lines.push(line),
  );
  spool.add(login);
  await reporter.deliver();
  spool.add({ ...login, reason: 'later' });
  await reporter.deliver();
  expect(lines).toEqual([expect.stringContaining('invalid-request')]);
  expect(batches.at(-1)?.events[0]?.reason).toBe('later');
});

it('goes ahead of the sequences it used before the clock was set back', async () => {
  const spool = await openEventSpool(
    folder,
    () => 1_000,
    () => {},
  );
  const used = 2_000_000;
  const { control, batches, statuses } = answering({
    events: () => ((batches.at(-1)?.sequence ?? 0) > used ? ok(undefined) : refuse('node-replayed')),
    status: () => ((statuses.at(-1)?.sequence ?? 0) > used ? ok(undefined) : refuse('node-replayed')),
  });
  const reporter = createReporter(control, spool, () => 1_000);
  spool.add(login);
  await reporter.deliver();
  await reporter.deliver();
  await reporter.report(idle);
  await reporter.report(idle);
  expect(await spool.oldest()).toBeUndefined();
  expect(statuses.at(-1)?.sequence).toBeGreaterThan(used);
});
