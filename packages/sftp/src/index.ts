export { BufferPool } from './buffer-pool.ts';
export { wireLimits } from './protocol.ts';
export {
  createSftpSession,
  type SftpLimits,
  type SftpSession,
  type SftpSessionOptions,
  type SftpTransport,
} from './session.ts';
export type { SftpTransfer } from './transfer.ts';
