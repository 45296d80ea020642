import { createSftpSession, type SftpSession } from '@sallyport/sftp';
import type { Session } from '../session.ts';
import type { ByteChannel } from './channel.ts';

/** Files on one channel of a logged-in connection. */
export type FileChannel = {
  /** Nothing new begins; what is being received is abandoned. */
  readonly abort: () => void;
  /** Every file is released and every transfer reported. */
  readonly closed: Promise<void>;
};

export type FileChannelOptions = {
  readonly channel: ByteChannel;
  readonly session: Session;
  readonly now: () => number;
  /** The client has sent something, or taken something. */
  readonly onActivity: () => void;
};

/** Serves the files of a session on a channel until one of them ends. */
export function serveSftp({ channel, session, now, onActivity }: FileChannelOptions): FileChannel {
  const closed = Promise.withResolvers<void>();
  const sftp: SftpSession = createSftpSession({
    files: session.files,
    admitsOperations: session.admitsOperations,
    now,
    buffers: channel.memory.files,
    onTransfer: (transfer) => session.report(transfer),
    transport: {
      send: (packet) => channel.send(packet),
      credit: (bytes) => channel.grant(bytes),
      close(fault) {
        channel.finish(fault ? 1 : 0);
        closed.resolve();
      },
    },
  });
  channel.open({
    data(chunk) {
      onActivity();
      sftp.receive(chunk);
    },
    sent(bytes) {
      onActivity();
      sftp.sent(bytes);
    },
    end: () => sftp.end(),
    closed: () => sftp.abort(),
  });
  return { abort: () => sftp.abort(), closed: closed.promise };
}
