import type { ItemReport, ServingState } from '@sallyport/model';
import type { ControlPlane } from './control-plane.ts';
import type { EventSpool } from './event-spool.ts';

/** What the node says of itself. */
export type StatusFacts = {
  readonly appliedVersion: number;
  readonly serving: ServingState;
  readonly items: readonly ItemReport[];
};

/** Brings status and events back to the control plane. */
export interface Reporter {
  /** Reports now; called after each apply and at intervals. Never rejects. */
  report(facts: StatusFacts): Promise<void>;
  /** Delivers spooled events until none is left or the control plane does not take them. Never rejects. */
  deliver(): Promise<void>;
}

/**
 * @param now milliseconds since the epoch; sequences grow with it, so that they need no memory across restarts
 */
export function createReporter(control: ControlPlane, spool: EventSpool, now: () => number): Reporter {
  let statusSequence = 0;
  let eventSequence = 0;
  let delivering: Promise<void> | undefined;

  async function deliverAll(): Promise<void> {
    for (;;) {
      const batch = await spool.oldest();
      if (!batch) return;
      if (batch.events.length > 0) {
        eventSequence = Math.max(eventSequence + 1, now());
        const delivered = await control.events({ sequence: eventSequence, events: [...batch.events] });
        if (delivered === 'unreachable' || !delivered.ok) return;
      }
      await spool.remove(batch);
    }
  }

  return {
    async report(facts) {
      statusSequence = Math.max(statusSequence + 1, now());
      await control
        .status({
          sequence: statusSequence,
          appliedVersion: facts.appliedVersion,
          serving: facts.serving,
          items: facts.items.slice(0, 10_000),
        })
        .catch(() => undefined);
    },
    deliver() {
      delivering ??= deliverAll()
        .catch(() => undefined)
        .finally(() => {
          delivering = undefined;
        });
      return delivering;
    },
  };
}
