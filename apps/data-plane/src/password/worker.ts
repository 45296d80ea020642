import { argon2Sync, timingSafeEqual } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { PasswordHash } from '@sallyport/model';

// Each thread loads what stands here anew: it does the computing and nothing else.
export type VerifyJob = { readonly id: number; readonly hash: PasswordHash; readonly password: string };
export type VerifyAnswer = { readonly id: number; readonly verified: boolean };

function verify({ hash, password }: VerifyJob): boolean {
  const tag = argon2Sync('argon2id', {
    message: password.normalize('NFC'),
    nonce: hash.salt,
    memory: hash.memoryKiB,
    passes: hash.passes,
    parallelism: hash.parallelism,
    tagLength: hash.tag.length,
  });
  return timingSafeEqual(tag, hash.tag);
}

parentPort?.on('message', (job: VerifyJob) => {
  let verified = false;
  try {
    verified = verify(job);
  } catch {
    // A hash that cannot be computed verifies nothing.
  }
  parentPort?.postMessage({ id: job.id, verified } satisfies VerifyAnswer);
});
