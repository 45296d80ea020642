import { randomUUID } from 'node:crypto';
import type { FileGrant, FileSystem } from '@sallyport/files';
import type { LiveSession } from '@sallyport/model';
import { redecide, type ServerFacts } from '@sallyport/policy';
import { accountFacts } from './account-facts.ts';
import type { CredentialStands } from './login.ts';
import { serverFacts } from './server-facts.ts';
import type { EndReason, PlainAdmission, Session, TransferReport } from './session.ts';
import { createSessionDirectory, type SessionPlaces } from './session-directory.ts';
import { type RunningTransfer, watchTransfers } from './transfer-watch.ts';
import type { ZoneView } from './zone-view.ts';

/** What a permitted login rests on, kept as long as the session lasts. */
export type Admission = PlainAdmission & {
  /** Asks, under a view, whether the credential would be accepted again. */
  readonly credentialStands: CredentialStands | undefined;
  readonly files: FileSystem;
  /** Holds the files to what the account may do now. */
  readonly regrant: (permissions: FileGrant['permissions']) => void;
};

function plainAdmission(admission: Admission): PlainAdmission {
  const { credentialStands: _, files: __, regrant: ___, ...plain } = admission;
  return plain;
}

export type SessionEvents = {
  /** @param startedAt milliseconds since the epoch, where it is known */
  readonly transfer: (session: Session, transfer: TransferReport, startedAt: number | undefined) => void;
  /** A transfer that goes on and on; its end comes as `transfer`. */
  readonly lasting: (session: Session, transfer: RunningTransfer) => void;
};

type Live = {
  readonly session: Session;
  readonly admission: Admission;
  readonly controller: AbortController;
  standing: 'current' | 'outdated';
};

/** All live sessions of this process. */
export interface SessionRegistry {
  readonly size: number;
  /**
   * Opens a session; nothing where the account has as many as it may.
   *
   * @param resumed id of a session that another process serves already, and this one from now on as well
   */
  open(admission: Admission, resumed?: string): Promise<Session | undefined>;
  /**
   * Decides one session anew: for one that was admitted while the view changed under it.
   *
   * @returns whether it goes on
   */
  redecide(session: Session, view: ZoneView): Promise<boolean>;
  /** Decides every session anew under a view: ends, marks outdated, keeps. */
  redecideAll(view: ZoneView): Promise<void>;
  /** Ends the outdated sessions of servers whose `drainBy` has passed, and all of those that drain. */
  endOverdue(): void;
  /** From now on running transfers may finish and nothing new begins: the process is about to end. */
  stopOperations(): void;
  endAll(reason: EndReason): void;
  /** Ends those of these ids that there are. */
  endThose(ids: Iterable<string>, reason: EndReason): void;
}

/** @param places where sessions are counted and told of; left out, those of this registry are all there are */
export function createSessionRegistry(
  view: () => ZoneView,
  now: () => number,
  events: SessionEvents,
  places: SessionPlaces = createSessionDirectory().forProcess().places,
): SessionRegistry {
  const live = new Map<string, Live>();
  let operations: 'admitted' | 'refused' = 'admitted';

  const serverOf = (id: string, at: ZoneView = view()) =>
    at.servers.find(({ server }) => server.id === id)?.server;
  const end = ({ controller }: Live, reason: EndReason): void => controller.abort(reason);

  async function redecideOne(one: Live, at: ZoneView): Promise<void> {
    const { admission } = one;
    const server = serverOf(admission.server, at);
    const facts: ServerFacts | undefined = server && serverFacts(server);
    const account = await at.accountNamed(admission.account.name);
    const credentialStands = admission.credentialStands
      ? await admission.credentialStands(at, admission.account.id)
      : false;
    const decision = redecide(
      {
        accountId: admission.account.id,
        name: admission.account.normalizedName,
        source: admission.source,
        channel: admission.channel,
        proofs: admission.proofs,
        passwordStands:
          account?.passwordHash !== undefined && account.passwordHash === admission.passwordHash,
        credentialStands,
        secondFactorStands:
          account?.secondFactor !== undefined && account.secondFactor.secret === admission.secondFactor,
      },
      facts,
      at.policy,
      account && accountFacts(account),
    );
    if (decision.kind === 'end') end(one, decision.reason);
    else if (account?.home !== admission.home) end(one, 'home-changed');
    else admission.regrant(account.permissions);
    const standing = decision.kind === 'outdated' ? 'outdated' : 'current';
    if (one.standing !== standing) places.mark(one.session.id, standing === 'outdated');
    one.standing = standing;
  }

  /** What cannot be judged anew does not go on. */
  const redecideOrEnd = (one: Live, at: ZoneView): Promise<void> =>
    redecideOne(one, at).catch(() => end(one, 'account-gone'));

  return {
    get size() {
      return live.size;
    },

    async open(admission, resumed) {
      if (resumed !== undefined && live.has(resumed)) return undefined;
      const controller = new AbortController();
      const watch = watchTransfers(admission.files, {
        now,
        onLasting: (transfer) => events.lasting(session, transfer),
      });
      const session: Session = {
        id: resumed ?? randomUUID(),
        protocol: admission.protocol,
        server: admission.server,
        account: { id: admission.account.id, name: admission.account.name },
        userClass: admission.userClass,
        source: admission.source,
        proofs: admission.proofs,
        home: admission.home,
        admission: plainAdmission(admission),
        files: watch.files,
        ended: controller.signal,
        admitsOperations: () =>
          operations === 'admitted' &&
          !controller.signal.aborted &&
          serverOf(admission.server)?.state === 'running',
        report: (transfer) =>
          events.transfer(session, transfer, watch.startOf(transfer.direction, transfer.path)),
        close() {
          if (!live.delete(session.id)) return;
          const { aborted, reason } = controller.signal;
          if (aborted) places.leave(session.id, reason as EndReason);
          else places.leave(session.id);
        },
      };
      const one: Live = { session, admission, controller, standing: 'current' };
      // Among the live ones from now on: what ends sessions meanwhile ends this one.
      live.set(session.id, one);
      const told = liveSessionOf(one, now());
      const entered = await places
        .enter(told, admission.account.id, admission.maxSessions)
        .catch(() => false);
      if (entered && one.standing === 'outdated') places.mark(session.id, true);
      if (entered) return session;
      live.delete(session.id);
      return undefined;
    },

    async redecide(session, at) {
      const one = live.get(session.id);
      if (one) await redecideOrEnd(one, at);
      return one !== undefined && !session.ended.aborted;
    },

    async redecideAll(at) {
      await Promise.all([...live.values()].map((one) => redecideOrEnd(one, at)));
    },

    endOverdue() {
      for (const one of live.values()) {
        const server = serverOf(one.admission.server);
        const overdue = server?.drainBy !== undefined && Date.parse(server.drainBy) <= now();
        const leaves = one.standing === 'outdated' || server?.state === 'draining';
        if (leaves && overdue) end(one, 'drained');
      }
    },

    stopOperations() {
      operations = 'refused';
    },

    endAll(reason) {
      for (const one of live.values()) end(one, reason);
    },

    endThose(ids, reason) {
      for (const id of ids) {
        const one = live.get(id);
        if (one) end(one, reason);
      }
    },
  };
}

/** @param since milliseconds since the epoch */
const liveSessionOf = ({ session, admission, standing }: Live, since: number): LiveSession => ({
  id: session.id,
  server: session.server,
  protocol: session.protocol,
  account: session.account.name.slice(0, 80),
  source: session.source.slice(0, 64),
  since: new Date(since).toISOString(),
  proofs: [...session.proofs],
  ...(admission.credential === undefined ? {} : { credential: admission.credential }),
  ...(admission.certificate === undefined ? {} : { certificate: admission.certificate }),
  outdated: standing === 'outdated',
});
