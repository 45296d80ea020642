import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { ok, refuse } from '@sallyport/faults';
import { type FileSystem, rootPath, type WriteHandle } from '@sallyport/files';
import { expect, it } from 'vitest';
import type { Session, TransferReport } from '../session.ts';
import { createLockGuard } from './dav/lock-guard.ts';
import { locksInMemory } from './dav/lock-table.ts';
import type { Exchange } from './exchange.ts';
import { usualPace } from './pace.ts';
import { upload } from './upload.ts';

it('leaves nothing of an upload whose session was ended before it was whole on the disk', async () => {
  const ended = new AbortController();
  const calls: string[] = [];
  const reports: TransferReport[] = [];
  const handle = {
    write: async () => {
      ended.abort('account-disabled');
      return ok(undefined);
    },
    commit: async () => {
      calls.push('commit');
      return ok(undefined);
    },
    abandon: async () => void calls.push('abandon'),
  } as unknown as WriteHandle;
  const incoming = Object.assign(Readable.from([Buffer.from('all of it')]), {
    complete: true,
    headers: {},
    rawHeaders: [],
  });
  await upload(
    {
      incoming,
      outgoing: { destroy: () => calls.push('cut'), headersSent: true } as unknown as ServerResponse,
      session: {
        files: {
          stat: async () => refuse('file-not-found'),
          openWrite: async () => ok(handle),
        } as unknown as FileSystem,
        account: { id: 'acme', name: 'acme' },
        ended: ended.signal,
        report: (transfer: TransferReport) => void reports.push(transfer),
      } as unknown as Session,
      path: rootPath,
      blockSize: 1_024,
    } as unknown as Exchange,
    'plain',
    { guard: createLockGuard(locksInMemory(), Date.now), pace: usualPace },
  );
  expect(calls).toEqual(['cut', 'abandon']);
  expect(reports).toMatchObject([{ outcome: 'cut', reason: 'transfer-cut' }]);
});
