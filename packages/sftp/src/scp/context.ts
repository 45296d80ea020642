import type { FileSystem } from '@sallyport/files';
import type { BufferPool } from '../buffer-pool.ts';
import type { SftpTransfer } from '../transfer.ts';
import type { ScpCommand } from './command.ts';
import type { Conversation } from './conversation.ts';

/** What both directions of scp work with. */
export type ScpContext = {
  readonly files: FileSystem;
  readonly buffers: BufferPool;
  readonly peer: Conversation;
  readonly command: ScpCommand;
  /** False while the server drains: what runs goes on, nothing new begins. */
  readonly admitsOperations: () => boolean;
  readonly onTransfer: (transfer: SftpTransfer) => void;
};

/** Folders in one another; a home with links can have no end. */
export const maxDepth = 64;
