import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { type FaultCode, faults, type Result, refuse } from '@sallyport/faults';
import { childOf, type VirtualPath } from '@sallyport/files';
import type { LockGuard } from '../dav/lock-guard.ts';
import type { Exchange } from '../exchange.ts';
import { isWhole } from '../exchange.ts';
import { isGone } from '../outgoing.ts';
import type { Pace } from '../pace.ts';
import { receive } from '../receive.ts';
import { targetOf } from '../target.ts';

/** Bounds of one form. What a file holds is bounded by the storage alone, as for PUT. */
const bounds = {
  fields: 8,
  fieldNameSize: 64,
  fieldSize: 16_384,
  files: 1_000,
  parts: 1_010,
  headerPairs: 16,
  headerSize: 16_384,
};

/** What became of a form: the directory it was for, and the files that were not stored, with the reason. */
export type FormUpload = {
  readonly directory: VirtualPath | undefined;
  readonly refused: readonly { readonly what: string; readonly code: FaultCode }[];
  readonly stored: number;
};

/**
 * Stores the files of a multipart form as they come, one after the other. The fields `token` and `directory` come
 * before them; without the right token nothing is looked at.
 *
 * @param isTrusted judges the token
 * @returns what became of it; `forgery-suspected`, `message-malformed`, `transfer-cut`
 */
export function storeForm(
  exchange: Omit<Exchange, 'path'>,
  means: { readonly guard: LockGuard; readonly pace: Pace; readonly isTrusted: (token: string) => boolean },
): Promise<Result<FormUpload>> {
  const { incoming, session } = exchange;
  const type = incoming.headers['content-type'];
  if (type === undefined || !/^multipart\/form-data\s*;/i.test(type)) {
    return Promise.resolve(refuse('message-malformed', 'no multipart form'));
  }
  return new Promise((resolve) => {
    const fields = new Map<string, string>();
    const refused: { what: string; code: FaultCode }[] = [];
    let directory: VirtualPath | undefined;
    let stored = 0;
    /** Files are stored one after the other, and all before the answer. */
    let last: Promise<void> = Promise.resolve();
    const begun = new Set<BusboyFileStream>();
    let settled = false;
    const settle = (result: Result<FormUpload>): void => {
      if (settled) return;
      settled = true;
      // The parser tells its files nothing of a form that breaks off: who reads one would wait for ever.
      if (!result.ok) for (const stream of begun) stream.destroy(new Error('the form broke off'));
      incoming.unpipe(parser);
      // What is still to come is read by whoever answers.
      incoming.pause();
      resolve(result);
    };

    let parser: BusboyInstance;
    try {
      parser = new Busboy({ headers: { 'content-type': type }, limits: bounds, preservePath: true });
    } catch {
      resolve(refuse('message-malformed', 'no boundary'));
      return;
    }

    async function store(stream: BusboyFileStream, filename: string): Promise<void> {
      // Some browsers send the whole path of the file; its last name is meant.
      const name = filename.split(/[\\/]/).at(-1) ?? '';
      if (stream.destroyed) return;
      const path = directory === undefined ? undefined : childOf(directory, name);
      const failed = (code: FaultCode) => {
        refused.push({ what: name, code });
        stream.resume();
      };
      if (!path?.ok) return failed('path-invalid');
      const replaces = fields.get('replace') === 'yes';
      const lock = await means.guard.refusal({ incoming, session, path: path.value }, [
        { path: path.value, reach: 'member' },
      ]);
      if (lock) return failed(lock);
      const opened = await session.files.openWrite(path.value, replaces ? 'replace' : 'create');
      if (!opened.ok) return failed(opened.fault.code);
      let bytes = 0;
      const source = {
        chunks: stream as AsyncIterable<Buffer>,
        length: undefined,
        isWhole: () => isEnded(stream) && !stream.truncated,
        stop: () => incoming.destroy(),
      };
      const received = await receive(
        source,
        opened.value,
        Math.min(exchange.blockSize, 1 << 18),
        (written) => {
          bytes = written;
        },
        { pace: means.pace },
      );
      const fits = received.ok && !session.ended.aborted && !isGone(exchange.outgoing);
      if (!fits) await opened.value.abandon('discard');
      const committed = fits
        ? await opened.value.commit()
        : refuse(received.ok ? 'transfer-cut' : received.fault.code);
      session.report({
        direction: 'upload',
        path: path.value,
        bytes,
        outcome: committed.ok ? 'completed' : committed.fault.code === 'transfer-cut' ? 'cut' : 'failed',
        ...(committed.ok ? {} : { reason: committed.fault.code }),
      });
      if (committed.ok) stored++;
      else failed(committed.fault.code);
    }

    parser.on('field', (name, value, nameCut, valueCut) => {
      if (nameCut || valueCut) return settle(refuse('message-malformed', 'a field is too long'));
      fields.set(name, value);
    });
    parser.on('file', (_, stream, filename) => {
      stream.on('error', () => {});
      begun.add(stream);
      stream.once('close', () => begun.delete(stream));
      if (settled) return void stream.resume();
      if (!means.isTrusted(fields.get('token') ?? '')) {
        stream.resume();
        return settle(refuse('forgery-suspected'));
      }
      const target = targetOf(fields.get('directory') ?? '');
      if (target.ok) directory = target.value.path;
      // A form in which nothing was chosen has one file without a name.
      if (!filename) return void stream.resume();
      last = last.then(() => store(stream, filename)).catch(() => void stream.resume());
    });
    const tooMany = () => settle(refuse('message-malformed', 'too many parts'));
    parser.on('partsLimit', tooMany);
    parser.on('filesLimit', tooMany);
    parser.on('fieldsLimit', tooMany);
    parser.on('finish', () => {
      void last.then(() => settle({ ok: true, value: { directory, refused, stored } }));
    });
    parser.on('error', () => settle(refuse('message-malformed', 'no multipart form')));
    const gone = () => {
      if (isWhole(incoming)) return;
      parser.destroy();
      settle(refuse('transfer-cut'));
    };
    incoming.once('close', gone);
    incoming.once('aborted', gone);
    incoming.pipe(parser);
  });
}

const isEnded = (stream: BusboyFileStream): boolean => stream.readableEnded;

/** The sentence of the table for a refusal. */
export const reasonOf = (code: FaultCode): string => faults[code].text;
