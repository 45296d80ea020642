// One of the processes that serve for a node: the primary starts it, and it ends with the primary.
import { createLink, type Link } from './link.ts';
import { remotePort } from './remote-port.ts';
import { remoteState } from './remote-state.ts';
import { type Foreman, foremanCalls, type Work } from './work.ts';
import { startWork } from './worker-serving.ts';

/** Events that may wait for the primary. Beyond it they are given up: one that is stuck must not fill our memory. */
const mostWaitingEvents = 50_000;

// A terminal and a supervisor send their signals to the whole group: the primary says when we stop, and how.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// Whatever ended the primary ends us at once: the next one must find no port taken.
process.once('disconnect', () => process.exit(0));

const ports: { work?: Work } = {};
const link: Link = createLink({
  send: (message, sent) => process.send?.(message, undefined, undefined, sent),
  ports,
});
process.on('message', (message) => link.take(message));

const foreman = remotePort<Foreman>(link, 'foreman', foremanCalls);
const { ticketSecrets, ...start } = await foreman.begin();
ports.work = await startWork({
  ...start,
  state: remoteState(link, ticketSecrets, Date.now),
  now: Date.now,
  record: (event) => {
    if (link.backlog < mostWaitingEvents) foreman.record(event);
  },
});
foreman.ready();
