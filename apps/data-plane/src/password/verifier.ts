import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { argon2Parameters, type PasswordHash, parsePasswordHash } from '@sallyport/model';
import { sourceNetwork } from '../source-network.ts';
import { createFairQueue } from './fair-queue.ts';
import type { VerifyAnswer, VerifyJob } from './worker.ts';

/** What a verification came to; `busy`: the queue or this source's share of it is full. */
export type Verification = 'verified' | 'wrong' | 'busy';

/** Checks passwords in threads of its own: in libuv's pool they would stall every file read (design section 6). */
export interface PasswordVerifier {
  /**
   * @param hash PHC string of the account; undefined for an unknown account or one without a password: a dummy hash
   *   takes the same time and verifies nothing, as it does in place of a string that is no such hash
   * @param source IP address: sources take turns, and each has a bounded share of the queue
   */
  verify(hash: string | undefined, password: string, source: string): Promise<Verification>;
  close(): Promise<void>;
}

export type VerifierOptions = {
  readonly threads: number;
  /** Verifications waiting or running at once, in all and per source. */
  readonly queue: number;
  readonly perSource: number;
};

export const defaultVerifierOptions: VerifierOptions = { threads: 2, queue: 256, perSource: 16 };

/** A hash of nothing that anybody knows. */
function dummyHash(): PasswordHash {
  const { memoryKiB, passes, parallelism, tagBytes } = argon2Parameters;
  const salt = new Uint8Array(randomBytes(16));
  const tag = new Uint8Array(randomBytes(tagBytes));
  return { memoryKiB, passes, parallelism, salt, tag };
}

type Waiting = { readonly job: VerifyJob; readonly done: (verified: boolean) => void };

export function createPasswordVerifier(options: VerifierOptions = defaultVerifierOptions): PasswordVerifier {
  const dummy = dummyHash();
  const waiting = createFairQueue<Waiting>();
  const running = new Map<number, (verified: boolean) => void>();
  const perSource = new Map<string, number>();
  const idle: Worker[] = [];
  const workers = new Set<Worker>();
  let nextId = 1;
  let inQueue = 0;
  let closed = false;

  function startWorker(): void {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    let current: number | undefined;
    const finish = (id: number, verified: boolean) => {
      running.get(id)?.(verified);
      running.delete(id);
      current = undefined;
    };
    worker.on('message', ({ id, verified }: VerifyAnswer) => {
      finish(id, verified);
      idle.push(worker);
      dispatch();
    });
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      workers.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
      if (current !== undefined) finish(current, false);
      if (!closed) startWorker();
    });
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (job: VerifyJob) => {
      current = job.id;
      post(job);
    };
    worker.unref();
    workers.add(worker);
    idle.push(worker);
    dispatch();
  }

  function dispatch(): void {
    while (idle.length > 0) {
      const next = waiting.take();
      if (!next) return;
      const worker = idle.pop() as Worker;
      const { job, done } = next;
      running.set(job.id, done);
      worker.postMessage(job);
    }
  }

  for (let thread = 0; thread < options.threads; thread++) startWorker();

  return {
    async verify(hash, password, address) {
      const source = sourceNetwork(address);
      const share = perSource.get(source) ?? 0;
      if (closed || inQueue >= options.queue || share >= options.perSource) return 'busy';
      const known = hash === undefined ? undefined : parsePasswordHash(hash);
      inQueue++;
      perSource.set(source, share + 1);
      try {
        const verified = await new Promise<boolean>((done) => {
          waiting.add(source, { job: { id: nextId++, hash: known ?? dummy, password }, done });
          dispatch();
        });
        return verified && known !== undefined ? 'verified' : 'wrong';
      } finally {
        inQueue--;
        const left = (perSource.get(source) ?? 1) - 1;
        if (left > 0) perSource.set(source, left);
        else perSource.delete(source);
      }
    },
    async close() {
      closed = true;
      for (let left = waiting.take(); left; left = waiting.take()) left.done(false);
      await Promise.all([...workers].map((worker) => worker.terminate()));
    },
  };
}
