import { createScpSession, type ScpCommand } from '@sallyport/sftp';
import type { FileChannel, FileChannelOptions } from './sftp-channel.ts';

/** Serves one scp command of a session on a channel until one of them ends. */
export function serveScp(
  { channel, session, onActivity }: FileChannelOptions,
  command: ScpCommand,
): FileChannel {
  const closed = Promise.withResolvers<void>();
  const scp = createScpSession({
    files: session.files,
    command,
    admitsOperations: session.admitsOperations,
    buffers: channel.memory.files,
    onTransfer: (transfer) => session.report(transfer),
    transport: {
      send: (bytes) => channel.send(bytes),
      credit: (bytes) => channel.grant(bytes),
      close(exitStatus) {
        channel.finish(exitStatus);
        closed.resolve();
      },
    },
  });
  channel.open({
    data(chunk) {
      onActivity();
      scp.receive(chunk);
    },
    sent(bytes) {
      onActivity();
      scp.sent(bytes);
    },
    end: () => scp.end(),
    closed: () => scp.abort(),
  });
  return { abort: () => scp.abort(), closed: closed.promise };
}
