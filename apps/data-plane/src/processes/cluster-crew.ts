import cluster, { type Worker } from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ItemReport } from '@sallyport/model';
import type { NewEvent } from '../agent/event-spool.ts';
import type { Crew } from '../crew.ts';
import { type KeptState, statePortsOf } from '../shared-state.ts';
import type { OwnTicketKeys } from '../tls/ticket-keys.ts';
import { applyWanted, type Served } from './applying.ts';
import { createLink } from './link.ts';
import { mergedItems } from './merged-items.ts';
import { remotePort } from './remote-port.ts';
import { type Foreman, type Work, workCalls } from './work.ts';

export type ClusterCrewOptions = {
  readonly home: string;
  readonly filesRoot: string;
  readonly processes: number;
  /** Arguments of Node for each of the processes. */
  readonly nodeArguments: readonly string[];
  readonly state: KeptState & { readonly tls: { readonly ticketKeys: OwnTicketKeys } };
  /** Digest of the manifest that is in force, and on the disk; nothing before there is one. */
  readonly wanted: () => string | undefined;
  readonly record: (event: NewEvent) => void;
  readonly log: (line: string) => void;
};

type Member = {
  readonly worker: Worker;
  readonly work: Work;
  state: 'starting' | 'up' | 'gone';
  readonly gone: Promise<void>;
  served: Served | undefined;
};

const firstRestartMs = 250;
const longestRestartMs = 10_000;
/** A process that has lived so long was healthy: the next one starts soon again. */
const healthyMs = 30_000;
/** Whoever does not come up, or does not get a snapshot applied, in this time is replaced. */
const startMs = 60_000;
const applyMs = 30_000;
/** More than a drain's grace: to close what is left, and to say so. */
const closeMs = 5_000;
const ticketSecretsPeriodMs = 300_000;
const awaitPeriodMs = 20;

const nobodyServes: ItemReport = {
  item: 'processes',
  result: 'nack',
  fault: 'item-engine-refused',
  detail: 'no process serves: each that was started has ended',
};

/**
 * Runs processes that serve alike, and replaces those that end. The listening sockets are this process's own, which
 * hands each connection to a process that is free. Clustering is one to a process: call it once.
 */
export function startClusterCrew(options: ClusterCrewOptions): Crew {
  const { state, log, wanted } = options;
  const slots = Array.from({ length: options.processes }, (): { member?: Member; restartMs: number } => ({
    restartMs: firstRestartMs,
  }));
  let stopping = false;

  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('./worker.ts', import.meta.url)),
    args: [],
    execArgv: [...process.execArgv, ...options.nodeArguments],
    // Bytes stay bytes.
    serialization: 'advanced',
    // Our standard input is a supervisor's word to us.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });

  const members = (): Member[] => slots.flatMap(({ member }) => (member?.state === 'up' ? [member] : []));

  function start(index: number): void {
    const slot = slots[index];
    if (!slot || stopping) return;
    const since = performance.now();
    const worker = cluster.fork();
    const held = statePortsOf(state);
    const isGone = Promise.withResolvers<void>();
    const foreman: Foreman = {
      begin: async () => ({
        home: options.home,
        filesRoot: options.filesRoot,
        slot: { index, of: options.processes },
        ticketSecrets: state.tls.ticketKeys.secrets(),
      }),
      ready() {
        if (member.state === 'starting') member.state = 'up';
        void apply(member);
      },
      record: options.record,
    };
    const link = createLink({
      // Whoever is gone takes nothing: its end is told by itself.
      send: (message, sent) =>
        worker.isConnected() ? worker.send(message, undefined, undefined, sent) : sent(),
      ports: { foreman, ...held.ports },
      onFailure: (port, method) => log(`process ${worker.process.pid}: ${port}.${method} failed`),
    });
    const member: Member = {
      worker,
      work: remotePort<Work>(link, 'work', workCalls),
      gone: isGone.promise,
      state: 'starting',
      served: undefined,
    };
    slot.member = member;
    worker.on('message', (message) => link.take(message));
    worker.on('error', () => undefined);
    const slow = setTimeout(() => member.state === 'starting' && replace(member, 'does not start'), startMs);

    // Its last words are in the channel after it has exited.
    const exited = new Promise<string>((resolve) => {
      worker.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
      worker.process.once('error', (error) => resolve(error.message));
    });
    const disconnected = new Promise<void>((resolve) => worker.once('disconnect', resolve));
    void exited.then(async (end) => {
      await Promise.race([disconnected, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
      clearTimeout(slow);
      member.state = 'gone';
      link.lost();
      held.lost();
      isGone.resolve();
      if (stopping) return;
      if (performance.now() - since > healthyMs) slot.restartMs = firstRestartMs;
      log(`process ${worker.process.pid} ended with ${end}; another takes its place in ${slot.restartMs} ms`);
      setTimeout(start, slot.restartMs, index).unref();
      slot.restartMs = Math.min(slot.restartMs * 2, longestRestartMs);
    });
  }

  function replace(member: Member, why: string): void {
    log(`process ${member.worker.process.pid} ${why} and is replaced`);
    member.worker.process.kill('SIGKILL');
  }

  async function apply(member: Member): Promise<void> {
    const applying = await applyWanted(member.work, {
      wanted,
      isUp: () => member.state === 'up',
      served: (applied) => {
        member.served = applied;
      },
      lateMs: applyMs,
    });
    if (applying.kind === 'replace') replace(member, applying.why);
  }

  for (const index of slots.keys()) start(index);
  const secrets = setInterval(() => {
    for (const { work } of members()) work.adoptTicketSecrets(state.tls.ticketKeys.secrets());
  }, ticketSecretsPeriodMs);

  async function stop(member: Member, graceMs: number): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, graceMs + closeMs).unref());
    if (member.state === 'up') await Promise.race([member.work.drain(graceMs).catch(() => undefined), late]);
    member.worker.process.kill('SIGKILL');
    await member.gone;
  }

  return {
    async apply() {
      await Promise.all(members().map(apply));
      // One that is being replaced is not waited for, unless there is no other.
      const deadline = performance.now() + startMs;
      while (!stopping && !members().some(({ served }) => served) && performance.now() < deadline)
        await pause(awaitPeriodMs);
    },
    items() {
      const served = members().flatMap((member) => (member.served ? [member.served.items] : []));
      return served.length > 0 ? mergedItems(served) : [nobodyServes];
    },
    renewed() {
      for (const { work } of members()) work.renew();
    },
    endSessions(ids) {
      if (ids.length > 0) for (const { work } of members()) work.endSessions(ids);
    },
    ports: () => members().find(({ served }) => served)?.served?.ports ?? new Map(),
    async drain(graceMs) {
      stopping = true;
      clearInterval(secrets);
      await Promise.all(slots.map(({ member }) => member && stop(member, graceMs)));
    },
  };
}
