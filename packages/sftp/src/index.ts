export { BufferPool } from './buffer-pool.ts';
export { wireLimits } from './protocol.ts';
export { parseScpCommand, type ScpCommand } from './scp/command.ts';
export {
  createScpSession,
  type ScpSession,
  type ScpSessionOptions,
  type ScpTransport,
} from './scp/session.ts';
export {
  createSftpSession,
  type SftpLimits,
  type SftpSession,
  type SftpSessionOptions,
  type SftpTransport,
} from './session.ts';
export type { SftpTransfer } from './transfer.ts';
