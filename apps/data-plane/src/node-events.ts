import type { LiveSession } from '@sallyport/model';
import type { Notice } from './adapter.ts';
import type { NewEvent } from './agent/event-spool.ts';
import type { StaleCrl } from './crl-watch.ts';
import type { LockoutBlock } from './lockout/lockouts.ts';
import type { LoginRecord } from './login-record.ts';
import type { Session, TransferReport } from './session.ts';
import type { SessionEvents } from './session-registry.ts';

/** Tells the event log of transfers and of sessions that have ended. */
export const sessionEvents = (record: (event: NewEvent) => void, now: () => number): SessionEvents => ({
  transfer(session, transfer, startedAt) {
    const { detail, ...event } = transferOf(session, transfer);
    record({
      ...event,
      outcome: transfer.outcome,
      ...(transfer.reason === undefined ? {} : { reason: transfer.reason }),
      detail: {
        ...detail,
        bytes: transfer.bytes,
        ...(startedAt === undefined
          ? {}
          : { startedAt: new Date(startedAt).toISOString(), durationMs: Math.max(0, now() - startedAt) }),
      },
    });
  },
  lasting(session, transfer) {
    const { detail, ...event } = transferOf(session, transfer);
    record({
      ...event,
      outcome: 'started',
      detail: { ...detail, startedAt: new Date(transfer.startedAt).toISOString() },
    });
  },
});

/** @param reason left out where the client has gone by itself */
export const logoutEvent = (
  { id, server, account, source }: Pick<LiveSession, 'id' | 'server' | 'account' | 'source'>,
  reason?: string,
): NewEvent => ({
  kind: 'logout',
  server,
  account,
  source,
  outcome: 'ended',
  ...(reason === undefined ? {} : { reason }),
  detail: { session: id },
});

const transferOf = (session: Session, { direction, path }: Pick<TransferReport, 'direction' | 'path'>) => ({
  kind: 'transfer' as const,
  server: session.server,
  account: session.account.name,
  source: session.source,
  detail: { session: session.id, direction, path },
});

/** A login that was permitted or refused. */
export const loginEvent = ({
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

/** A lockout that begins. */
export const lockoutEvent = ({ target, until }: LockoutBlock) => ({
  kind: 'lockout' as const,
  ...('account' in target ? { account: target.account } : {}),
  ...('source' in target ? { source: target.source } : {}),
  outcome: 'refused' as const,
  reason: target.counter,
  detail: { until: new Date(until).toISOString() },
});

/** A revocation list that is past its time. */
export const staleCrlEvent = ({ subject, ...stale }: StaleCrl) => ({
  kind: 'snapshot' as const,
  outcome: 'failed' as const,
  reason: 'crl-stale',
  detail: { subject: subject.slice(0, 1_000), ...stale },
});

/** What an adapter has told. */
export const noticeEvent = (notice: Notice) => ({
  kind: notice.kind,
  server: notice.server,
  ...(notice.source === undefined ? {} : { source: notice.source.slice(0, 64) }),
  ...(notice.account === undefined ? {} : { account: notice.account.slice(0, 80) }),
  outcome: notice.outcome,
  ...(notice.reason === undefined ? {} : { reason: notice.reason.slice(0, 120) }),
  ...(notice.detail === undefined ? {} : { detail: notice.detail }),
});
