import { argon2Sync, timingSafeEqual } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { parsePasswordHash } from '@sallyport/model';

export type VerifyJob = { readonly id: number; readonly hash: string; readonly password: string };
export type VerifyAnswer = { readonly id: number; readonly verified: boolean };

function verify({ hash, password }: VerifyJob): boolean {
  const parsed = parsePasswordHash(hash);
  if (!parsed) return false;
  const tag = argon2Sync('argon2id', {
    message: password.normalize('NFC'),
    nonce: parsed.salt,
    memory: parsed.memoryKiB,
    passes: parsed.passes,
    parallelism: parsed.parallelism,
    tagLength: parsed.tag.length,
  });
  return timingSafeEqual(tag, parsed.tag);
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
