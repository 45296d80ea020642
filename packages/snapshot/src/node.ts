export type { AccountRecord, Registration } from './payload.ts';
