import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ItemReport, ServingState } from '@sallyport/model';
import { type SnapshotReader, servingState } from '@sallyport/snapshot/node';
import { connectControlPlane } from './agent/control-plane.ts';
import { createDenyLists, deniedSessions } from './agent/deny-list.ts';
import { type NewEvent, openEventSpool } from './agent/event-spool.ts';
import { loadIdentity, makeNodeHome } from './agent/identity.ts';
import { forgetJoin } from './agent/join.ts';
import { createReporter } from './agent/reporter.ts';
import { snapshotDisk } from './agent/snapshot-disk.ts';
import { createSynchronisation, type SyncStep } from './agent/sync.ts';
import { removeTemporaries } from './atomic-file.ts';
import { createConnectionGate } from './connection-gate.ts';
import type { Crew } from './crew.ts';
import { createCrlWatch } from './crl-watch.ts';
import { locksInMemory } from './http/dav/lock-table.ts';
import { webSessionsInMemory } from './http/web-session/store.ts';
import { createLockouts } from './lockout/lockouts.ts';
import { lockoutEvent, logoutEvent, staleCrlEvent } from './node-events.ts';
import { createSessionDirectory } from './session-directory.ts';
import { buildView } from './snapshot-view.ts';
import { createTlsMemories } from './tls/memories.ts';
import type { ZoneView } from './zone-view.ts';

export type NodeOptions = {
  /** Folder of the node, joined before. */
  readonly home: string;
  /** Folder that holds the homes of accounts; `files` below the node's home where it is left out. */
  readonly filesRoot?: string;
  /** URL of the control plane, where it is not the one of the join. Who answers there is checked by signatures. */
  readonly controlPlane?: string;
  /** Processes that serve, beside this one where there are several; 1, which is this one, where it is left out. */
  readonly processes?: number;
  /** Arguments of Node for each of several processes, beside those of this one. */
  readonly nodeArguments?: readonly string[];
  readonly log: (line: string) => void;
  readonly now?: () => number;
};

/** A running data-plane node. */
export interface RunningNode {
  readonly node: string;
  readonly serving: ServingState;
  readonly version: number;
  /** Ports by server id. */
  ports(): ReadonlyMap<string, number>;
  /** Resolves once the first snapshot is applied, from disk or from the control plane. */
  readonly ready: Promise<void>;
  /** Stops accepting, lets running sessions end for at most that long, then closes. */
  drain(graceMs: number): Promise<void>;
}

const longPollSeconds = 25;
const reportPeriodMs = 15_000;
const deliveryPeriodMs = 1_000;
/** Who has come and gone is told no more often than that. */
const sessionReportPeriodMs = 2_000;
const crlPeriodMs = 10_000;
const firstRetryMs = 250;
const longestRetryMs = 5_000;

/**
 * Starts a node: loads what it has on disk, serves it, and from then on pulls, verifies, persists and applies.
 * It serves whether or not the control plane answers. Throws Error where this home has not joined or is damaged.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { log, now = Date.now } = options;
  const paths = await makeNodeHome(options.home);
  const loaded = await loadIdentity(paths);
  if (!loaded) throw new Error(`${options.home} has not joined a zone; run sallyport node join <token>`);
  await forgetJoin(paths);
  for (const written of [paths.identity, paths.current]) await removeTemporaries(dirname(written));
  const identity = { ...loaded, controlPlane: options.controlPlane ?? loaded.controlPlane };
  const control = connectControlPlane(identity, now);
  const spool = await openEventSpool(paths.spool, now, log);
  const reporter = createReporter(control, spool, now, log);

  let view: ZoneView | undefined;
  let appliedVersion = 0;
  /** What the control plane has sent since and this node has not taken. */
  let refused: readonly ItemReport[] = [];
  const currentView = (): ZoneView => {
    if (!view) throw new Error('no snapshot is applied yet');
    return view;
  };
  const serving = (): ServingState =>
    sync.inForce
      ? servingState(sync.inForce.timestamp, now(), sync.inForce.applied.highestIssuedAt)
      : 'refusing';

  let endedByOperator: ReadonlySet<string> = new Set();
  const directory = createSessionDirectory({
    denied: (id) => endedByOperator.has(id),
    ended: (session, reason) => spool.add(logoutEvent(session, reason)),
    endElsewhere: (id) => crew.endSessions([id]),
  });
  const lockouts = createLockouts({
    settings: () => currentView().policy.loginSettings.lockout,
    now,
    began: (block) => {
      spool.add(lockoutEvent(block));
      void reporter.deliver();
    },
  });
  const disk = snapshotDisk(paths);
  const denyLists = createDenyLists(identity.zone, disk, now, (list) => {
    const denied = deniedSessions(list, now());
    endedByOperator = new Set(denied);
    crew.endSessions(denied);
    lockouts.enforce(list);
  });
  const sync = await createSynchronisation(identity, disk, control, denyLists, now);
  const crewOptions = {
    filesRoot: options.filesRoot ?? paths.files,
    now,
    state: {
      connections: createConnectionGate(() => performance.now()),
      sessions: directory,
      lockouts,
      webSessions: webSessionsInMemory(),
      locks: locksInMemory(),
      tls: createTlsMemories({ now }),
    },
    record: (event: NewEvent) => spool.add(event),
  };
  const processes = options.processes ?? 1;
  // What serves is loaded where it serves: with several processes, not in this one.
  const crew: Crew =
    processes === 1
      ? (await import('./alone.ts')).serveAlone({ ...crewOptions, serving })
      : (await import('./processes/cluster-crew.ts')).startClusterCrew({
          ...crewOptions,
          home: options.home,
          processes,
          nodeArguments: options.nodeArguments ?? [],
          wanted: () => sync.inForce?.applied.manifestDigest,
          log,
        });

  const watchCrls = createCrlWatch(now, (stale) => {
    log(`revocation list of ${stale.subject}: ${stale.nextUpdate ? `ended ${stale.nextUpdate}` : 'none'}`);
    spool.add(staleCrlEvent(stale));
  });

  let markReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });

  async function apply(reader: SnapshotReader): Promise<void> {
    const built = buildView(reader);
    view = built.view;
    refused = [];
    watchCrls(built.view);
    await crew.apply(built);
    for (const { item, result, detail } of crew.items()) if (result === 'nack') log(`${item}: ${detail}`);
    appliedVersion = built.view.version;
    log(`running version ${appliedVersion}`);
    markReady();
  }

  let reportedChanges = 0;
  let reportedAt = 0;
  const report = () => {
    reportedChanges = directory.changes;
    reportedAt = now();
    return reporter.report({
      appliedVersion,
      serving: serving(),
      items: [...crew.items(), ...refused],
      sessions: directory.report(),
    });
  };

  const fromDisk = await sync.loadFromDisk();
  if (fromDisk.ok && fromDisk.value) await apply(fromDisk.value);
  else if (!fromDisk.ok) log(`the snapshot on disk is not usable: ${fromDisk.fault.code}`);

  const stopping = new AbortController();
  const timers = [
    setInterval(() => void report().then(() => reporter.deliver()), reportPeriodMs),
    setInterval(() => {
      void reporter.deliver();
      if (directory.changes !== reportedChanges && Math.abs(now() - reportedAt) >= sessionReportPeriodMs)
        void report();
    }, deliveryPeriodMs),
    setInterval(() => view && watchCrls(view), crlPeriodMs),
  ];

  const failures = createFailureLog(log);
  async function follow(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!stopping.signal.aborted) {
      let step: SyncStep;
      try {
        // Without a snapshot there is nothing to wait for.
        step = await sync.step(view ? longPollSeconds : 1, stopping.signal);
        if (step.kind === 'new-snapshot') {
          await apply(step.reader);
          void report();
        }
        if (step.kind === 'renewed') crew.renewed();
      } catch (error) {
        step = {
          kind: 'refused',
          fault: { code: 'internal', detail: error instanceof Error ? error.message : '' },
        };
      }
      // The poll that a stop has cut says nothing of the control plane.
      if (stopping.signal.aborted) return;
      if (step.kind === 'refused' || step.kind === 'unreachable') {
        failures.note(
          step.kind === 'refused' ? `${step.fault.code} ${step.fault.detail ?? ''}` : 'unreachable',
        );
        if (step.kind === 'refused') refused = [refusal(step)];
        const jitter = 0.5 + Math.random();
        await pause(retryMs * jitter, undefined, { signal: stopping.signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      } else {
        failures.clear();
        retryMs = firstRetryMs;
      }
    }
  }
  const following = follow();

  return {
    node: identity.node,
    get serving() {
      return serving();
    },
    get version() {
      return appliedVersion;
    },
    ports: () => crew.ports(),
    ready,
    async drain(graceMs) {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
      await following;
      await crew.drain(graceMs);
      await spool.flush();
      await Promise.race([reporter.deliver(), pause(2_000)]);
    },
  };
}

const refusal = (step: Extract<SyncStep, { kind: 'refused' }>): ItemReport => ({
  item: 'snapshot',
  result: 'nack',
  fault: step.fault.code,
  ...(step.fault.detail === undefined ? {} : { detail: step.fault.detail.slice(0, 500) }),
});

/** Says each reason once, and once that it is over: an outage of an hour is two lines. */
function createFailureLog(log: (line: string) => void) {
  let last: string | undefined;
  return {
    note(reason: string) {
      if (reason !== last) log(`control plane: ${reason}`);
      last = reason;
    },
    clear() {
      if (last !== undefined) log('control plane: in contact again');
      last = undefined;
    },
  };
}
