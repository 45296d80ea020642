import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ItemReport, ServingState } from '@sallyport/model';
import { type SnapshotReader, servingState } from '@sallyport/snapshot/node';
import type { Notice } from './adapter.ts';
import { connectControlPlane } from './agent/control-plane.ts';
import { createDenyLists, deniedSessions } from './agent/deny-list.ts';
import { openEventSpool } from './agent/event-spool.ts';
import { loadIdentity, makeNodeHome } from './agent/identity.ts';
import { forgetJoin } from './agent/join.ts';
import { createReporter } from './agent/reporter.ts';
import { snapshotDisk } from './agent/snapshot-disk.ts';
import { createSynchronisation, type SyncStep } from './agent/sync.ts';
import { removeTemporaries } from './atomic-file.ts';
import { createCrlWatch, type StaleCrl } from './crl-watch.ts';
import { createListeners } from './listeners.ts';
import { createLockouts, type LockoutBlock } from './lockout/lockouts.ts';
import { createLoginDesk } from './login-desk.ts';
import type { LoginRecord } from './login-record.ts';
import { createVerifiedPasswords } from './password/cache.ts';
import { createPasswordVerifier } from './password/verifier.ts';
import type { Session, TransferReport } from './session.ts';
import { createSessionDirectory } from './session-directory.ts';
import { createSessionRegistry, type SessionEvents } from './session-registry.ts';
import { buildView } from './snapshot-view.ts';
import type { ZoneView } from './zone-view.ts';

export type NodeOptions = {
  /** Folder of the node, joined before. */
  readonly home: string;
  /** Folder that holds the homes of accounts; `files` below the node's home where it is left out. */
  readonly filesRoot?: string;
  /** URL of the control plane, where it is not the one of the join. Who answers there is checked by signatures. */
  readonly controlPlane?: string;
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
const overduePeriodMs = 1_000;
/** Who has come and gone is told no more often than that. */
const sessionReportPeriodMs = 2_000;
const redecidePeriodMs = 10_000;
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
  let items: readonly ItemReport[] = [];
  const currentView = (): ZoneView => {
    if (!view) throw new Error('no snapshot is applied yet');
    return view;
  };
  const serving = (): ServingState =>
    sync.inForce
      ? servingState(sync.inForce.timestamp, now(), sync.inForce.applied.highestIssuedAt)
      : 'refusing';

  const passwords = createPasswordVerifier();
  const directory = createSessionDirectory();
  const events = {
    transfer(session, transfer, startedAt) {
      spool.add({
        ...transferOf(session, transfer),
        outcome: transfer.outcome,
        ...(transfer.reason === undefined ? {} : { reason: transfer.reason }),
        detail: {
          ...transferOf(session, transfer).detail,
          bytes: transfer.bytes,
          ...(startedAt === undefined
            ? {}
            : { startedAt: new Date(startedAt).toISOString(), durationMs: Math.max(0, now() - startedAt) }),
        },
      });
    },
    lasting(session, transfer) {
      const { detail, ...event } = transferOf(session, transfer);
      spool.add({
        ...event,
        outcome: 'started',
        detail: { ...detail, startedAt: new Date(transfer.startedAt).toISOString() },
      });
    },
    closed(session, reason) {
      spool.add({
        kind: 'logout',
        server: session.server,
        account: session.account.name,
        source: session.source,
        outcome: 'ended',
        ...(reason === undefined ? {} : { reason }),
        detail: { session: session.id },
      });
    },
  } satisfies SessionEvents;
  const sessions = createSessionRegistry(currentView, now, events, directory.forProcess().places);
  const disk = snapshotDisk(paths);
  const lockouts = createLockouts({
    settings: () => currentView().policy.loginSettings.lockout,
    now,
    began: (block) => {
      spool.add(lockoutEvent(block));
      void reporter.deliver();
    },
  });
  const denyLists = createDenyLists(identity.zone, disk, now, (list) => {
    sessions.endThose(deniedSessions(list, now()), 'ended-by-operator');
    lockouts.enforce(list);
  });
  const sync = await createSynchronisation(identity, disk, control, denyLists, now);
  const login = createLoginDesk({
    view: currentView,
    serving,
    now,
    passwords,
    verifiedPasswords: createVerifiedPasswords(now),
    lockouts,
    sessions,
    filesRoot: options.filesRoot ?? paths.files,
    record: (record) => spool.add(loginEvent(record)),
    pause,
  });
  const listeners = createListeners({
    login,
    view: currentView,
    now,
    notice: (notice) => spool.add(noticeEvent(notice)),
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
    // Sessions first: what was revoked ends before a new connection is served.
    await sessions.redecideAll(built.view);
    watchCrls(built.view);
    items = await listeners.apply(built);
    for (const { item, result, detail } of items) if (result === 'nack') log(`${item}: ${detail}`);
    log(`running version ${built.view.version}`);
    markReady();
  }

  let reportedChanges = 0;
  let reportedAt = 0;
  const report = () => {
    reportedChanges = directory.changes;
    reportedAt = now();
    return reporter.report({
      appliedVersion: view?.version ?? 0,
      serving: serving(),
      items,
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
    }, overduePeriodMs),
    // A credential may end by the clock alone, without a change that would have it looked at.
    setInterval(() => {
      if (!view) return;
      watchCrls(view);
      void sessions.redecideAll(view);
    }, redecidePeriodMs),
    setInterval(() => {
      sessions.endOverdue();
      if (sync.inForce && serving() === 'refusing') sessions.endAll('service-refusing');
    }, overduePeriodMs),
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
        if (step.kind === 'refused')
          items = [...items.filter(({ item }) => item !== 'snapshot'), refusal(step)];
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
      return view?.version ?? 0;
    },
    ports: () => listeners.ports(),
    ready,
    async drain(graceMs) {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
      await following;
      await listeners.stopAccepting();
      sessions.stopOperations();
      const deadline = now() + graceMs;
      while (sessions.size > 0 && now() < deadline) await pause(20);
      sessions.endAll('shutdown');
      await listeners.close();
      await passwords.close();
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

const transferOf = (session: Session, { direction, path }: Pick<TransferReport, 'direction' | 'path'>) => ({
  kind: 'transfer' as const,
  server: session.server,
  account: session.account.name,
  source: session.source,
  detail: { session: session.id, direction, path },
});

const loginEvent = ({
  doorway,
  user,
  outcome,
  reason,
  session,
  certificate,
  credential,
  version,
  sshCertificate,
  lockout,
}: LoginRecord) => ({
  kind: 'login' as const,
  server: doorway.server,
  account: user.slice(0, 80),
  source: doorway.source.slice(0, 64),
  outcome,
  reason,
  detail: {
    ...(session === undefined ? {} : { session }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(credential === undefined ? {} : { credential }),
    ...(lockout === undefined ? {} : { lockout }),
    snapshot: version,
    ...doorway.detail?.(),
    ...(sshCertificate === undefined
      ? {}
      : Object.fromEntries(
          Object.entries(sshCertificate).map(([name, value]) => [`sshCertificate.${name}`, value]),
        )),
  },
});

const lockoutEvent = ({ target, until }: LockoutBlock) => ({
  kind: 'lockout' as const,
  ...('account' in target ? { account: target.account } : {}),
  ...('source' in target ? { source: target.source } : {}),
  outcome: 'refused' as const,
  reason: target.counter,
  detail: { until: new Date(until).toISOString() },
});

const staleCrlEvent = ({ subject, ...stale }: StaleCrl) => ({
  kind: 'snapshot' as const,
  outcome: 'failed' as const,
  reason: 'crl-stale',
  detail: { subject: subject.slice(0, 1_000), ...stale },
});

const noticeEvent = (notice: Notice) => ({
  kind: notice.kind,
  server: notice.server,
  ...(notice.source === undefined ? {} : { source: notice.source.slice(0, 64) }),
  ...(notice.account === undefined ? {} : { account: notice.account.slice(0, 80) }),
  outcome: notice.outcome,
  ...(notice.reason === undefined ? {} : { reason: notice.reason.slice(0, 120) }),
  ...(notice.detail === undefined ? {} : { detail: notice.detail }),
});
