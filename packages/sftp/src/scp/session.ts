import type { FileSystem } from '@sallyport/files';
import { BufferPool } from '../buffer-pool.ts';
import type { SftpTransfer } from '../transfer.ts';
import type { ScpCommand } from './command.ts';
import { Conversation } from './conversation.ts';
import { sink } from './sink.ts';
import { source } from './source.ts';

/** The way back to the peer; see `SftpTransport`. */
export interface ScpTransport {
  send(bytes: Uint8Array): void;
  credit(bytes: number): void;
  /** The command is done and every file is released; called once. */
  close(exitStatus: number): void;
}

export type ScpSessionOptions = {
  readonly files: FileSystem;
  readonly command: ScpCommand;
  readonly transport: ScpTransport;
  /** False while the server drains. */
  readonly admitsOperations: () => boolean;
  readonly onTransfer: (transfer: SftpTransfer) => void;
  /** A bug surfaced; the command ends with a failure. */
  readonly onError?: (error: unknown) => void;
  readonly buffers?: BufferPool;
};

/** One run of an scp command. No call throws or waits. */
export interface ScpSession {
  /** Takes bytes from the peer; they are not looked at after the call. */
  receive(chunk: Uint8Array): void;
  sent(bytes: number): void;
  /** The peer sends no more. */
  end(): void;
  /** The peer is gone: what was being received is abandoned. */
  abort(): void;
}

/** Serves one scp command over a FileSystem. */
export function createScpSession(options: ScpSessionOptions): ScpSession {
  const { transport, command, buffers = new BufferPool() } = options;
  const peer = new Conversation(
    buffers,
    (bytes) => transport.send(bytes),
    (bytes) => transport.credit(bytes),
  );
  const { files, admitsOperations, onTransfer } = options;
  const serve = command.role === 'sink' ? sink : source;
  serve({ files, buffers, peer, command, admitsOperations, onTransfer }).then(
    () => transport.close(peer.troubles > 0 ? 1 : 0),
    (error: unknown) => {
      options.onError?.(error);
      transport.close(1);
    },
  );
  return {
    receive: (chunk) => peer.inbox.push(chunk),
    sent: (bytes) => peer.passed(bytes),
    end: () => peer.inbox.end(),
    abort: () => peer.over(),
  };
}
