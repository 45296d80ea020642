import type { FaultCode } from '@sallyport/faults';
import type { ItemReport, ServingState, SessionReport } from '@sallyport/model';
import type { ControlPlane } from './control-plane.ts';
import type { EventSpool } from './event-spool.ts';

/** What the node says of itself. */
export type StatusFacts = {
  readonly appliedVersion: number;
  readonly serving: ServingState;
  readonly items: readonly ItemReport[];
  readonly sessions: SessionReport;
};

/** Brings status and events back to the control plane. */
export interface Reporter {
  /** Reports now; called after each apply and at intervals. Never rejects. */
  report(facts: StatusFacts): Promise<void>;
  /**
   * Delivers the events that are spooled now, or as many as the control plane takes; those that come meanwhile wait for
   * the next call, so that they are not brought one by one. Never rejects.
   */
  deliver(): Promise<void>;
}

/** Refusals of a batch's own content: it will not be taken another time either. */
const neverTaken: ReadonlySet<FaultCode> = new Set(['invalid-request', 'malformed-json', 'body-too-large']);

/** A clock that was set back gives sequences that were used before: each refusal goes an hour ahead. */
const replayStep = 3_600_000;

/**
 * @param now milliseconds since the epoch; sequences grow with it, so that they need no memory across restarts
 */
export function createReporter(
  control: ControlPlane,
  spool: EventSpool,
  now: () => number,
  log: (line: string) => void = () => {},
): Reporter {
  let statusSequence = 0;
  let eventSequence = 0;
  let delivering: Promise<void> | undefined;
  let more = false;

  async function deliverAll(): Promise<void> {
    for (;;) {
      more = false;
      const batch = await spool.oldest();
      if (!batch) return;
      if (batch.events.length > 0) {
        eventSequence = Math.max(eventSequence + 1, now());
        const delivered = await control.events({ sequence: eventSequence, events: [...batch.events] });
        if (delivered === 'unreachable') return;
        if (!delivered.ok) {
          const { code } = delivered.fault;
          if (code === 'node-replayed') eventSequence += replayStep;
          if (!neverTaken.has(code)) return;
          // One batch that is refused for good must not hold back all that come after it.
          log(`${batch.events.length} events were refused for good and are given up: ${code}`);
        }
      }
      await spool.remove(batch);
      if (batch.place === 'newest' && !more) return;
    }
  }

  return {
    async report(facts) {
      statusSequence = Math.max(statusSequence + 1, now());
      const reported = await control
        .status({
          sequence: statusSequence,
          appliedVersion: facts.appliedVersion,
          serving: facts.serving,
          items: facts.items.slice(0, 10_000),
          sessions: facts.sessions,
        })
        .catch(() => undefined);
      if (typeof reported === 'object' && !reported.ok && reported.fault.code === 'node-replayed') {
        statusSequence += replayStep;
      }
    },
    deliver() {
      more = true;
      delivering ??= deliverAll()
        .catch(() => undefined)
        .finally(() => {
          delivering = undefined;
        });
      return delivering;
    },
  };
}
