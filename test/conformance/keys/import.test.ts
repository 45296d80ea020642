import { join } from 'node:path';
import { importKeyMaterial } from '@sallyport/pki';
import { beforeAll, describe, expect, it } from 'vitest';
import { startDeno } from '../../support/deno.ts';
import { mutate, seeded } from '../../support/mutate.ts';
import { startWorkerd } from '../../support/workerd.ts';
import { certtoolFiles } from './certtool-files.ts';
import { baseKeys, type CorpusFile } from './corpus.ts';
import { type ImportJob, importJob } from './import-service.ts';
import { opensslCertificates, opensslKeys } from './openssl-files.ts';
import { puttygenFiles } from './puttygen-files.ts';
import { sshKeygenFiles } from './ssh-keygen-files.ts';

const keys = await baseKeys();
const corpus: readonly CorpusFile[] = [
  ...(await opensslKeys(keys)),
  ...(await opensslCertificates(keys)),
  ...(await sshKeygenFiles()),
  ...(await puttygenFiles()),
  ...(await certtoolFiles(keys)),
];
/** Whose passwords cost a second and more: one look at them is enough. */
const cheap = corpus.filter(({ name }) => !/^certtool .* PKCS|default protection/.test(name));

it('has at least 150 files', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(150);
});

describe('imports what the tools write, as the tools know it', () => {
  it.each(corpus)('$name', async ({ bytes, password, choice, form, facts, chain }) => {
    const imported = await importKeyMaterial(bytes, { password, choice });
    if (!imported.ok) throw new Error(JSON.stringify(imported.fault));
    const { value } = imported;
    expect(value.form).toBe(form);
    expect(value.recognised).not.toBe('');
    const key =
      value.form === 'certificates'
        ? value.chain[0]?.key
        : value.form === 'ssh-certificate'
          ? value.certificate.facts
          : value.form !== 'choice' && value.facts;
    expect(key).toMatchObject({ type: facts.type, bits: facts.bits, sshFingerprint: facts.fingerprint });
    if (chain && (value.form === 'certificates' || value.form === 'private-key')) {
      expect(value.chain.map(({ sha256 }) => sha256)).toEqual(chain);
      expect(value.extra).toEqual([]);
    }
  });
});

const encrypted = cheap.filter(
  ({ password, name }) => password !== undefined && !name.includes('PKCS#12 in clear without'),
);

describe('refuses a wrong password and a missing one', () => {
  it.each(encrypted)('$name', async ({ bytes, name }) => {
    const missing = await importKeyMaterial(bytes);
    // A file in clear has no more than its MAC to say that a password was meant.
    expect(missing).toMatchObject({ ok: false, fault: { code: 'key-password-required' } });
    const wrong = await importKeyMaterial(bytes, { password: 'not this one' });
    expect(wrong).toMatchObject({ ok: false });
    if (!wrong.ok) {
      expect(wrong.fault.code, name).toBe('key-password-wrong');
      expect(wrong.fault.detail).not.toContain('not this one');
    }
  });
});

/** Are all PEM blocks whole that are left, or is a whole key left in a line whose comment was cut? */
function leavesSomethingWhole(whole: Uint8Array, length: number): boolean {
  const text = Buffer.from(whole).toString('latin1');
  const left = text.slice(0, length);
  const begins = left.match(/^-----BEGIN /gm)?.length ?? 0;
  const ends = left.match(/^-----END [A-Z0-9 ]+-----$/gm)?.length ?? 0;
  const line = /[a-z0-9.]+ AAAA[A-Za-z0-9+/]+(?==*\s)/.exec(text);
  return begins > 0 ? begins === ends : line !== null && length >= line.index + line[0].length;
}

describe('refuses what was cut', () => {
  it.each(cheap)('$name', async ({ bytes, password, choice }) => {
    for (const part of [0.1, 0.5, 0.9, 0.99]) {
      const length = Math.floor(bytes.length * part);
      if (leavesSomethingWhole(bytes, length)) continue;
      const imported = await importKeyMaterial(bytes.subarray(0, length), { password, choice });
      expect(imported, `${part}`).toMatchObject({ ok: false });
    }
  });
});

describe('the same on every runtime', () => {
  const jobs: readonly ImportJob[] = cheap.map(({ bytes, password, choice }) => ({
    base64: Buffer.from(bytes).toString('base64'),
    ...(password === undefined ? {} : { password }),
    ...(choice === undefined ? {} : { choice }),
  }));
  const entry = join(import.meta.dirname, 'import-service.ts');
  const expected: unknown[] = [];
  beforeAll(async () => {
    for (const job of jobs) expected.push(await importJob(job));
  });

  async function compare(url: string): Promise<void> {
    // A worker may compute for 30 s in one request.
    for (let at = 0; at < jobs.length; at += 40) {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(jobs.slice(at, at + 40)) });
      const results = (await response.json()) as unknown[];
      for (const [i, result] of results.entries()) {
        expect(result, cheap[at + i]?.name).toEqual(expected[at + i]);
      }
      expect(results.length).toBe(Math.min(40, jobs.length - at));
    }
  }

  it('workerd', { timeout: 120_000 }, async () => {
    const worker = await startWorkerd({ entry });
    try {
      await compare(worker.url);
    } finally {
      await worker.dispose();
    }
  });

  it('Deno', { timeout: 120_000 }, async () => {
    const deno = await startDeno({ entry });
    try {
      await compare(deno.url);
    } finally {
      await deno.stop();
    }
  });
});

describe('mutations of good files', () => {
  const count = Number(process.env.SALLYPORT_KEY_MUTATIONS ?? (process.env.CI ? 20_000 : 2_000));
  const seed = Number(process.env.SALLYPORT_KEY_SEED ?? 20_260_601);

  it(`${count} of them end nothing and take their time from nobody`, { timeout: 1_200_000 }, async () => {
    // What is slow by itself would only make the test slow: cost is bounded in other ways.
    const quick = cheap.filter(({ name }) => !/scrypt|OpenSSH encrypted|\d{5} iterations|argon2/.test(name));
    const random = seeded(seed);
    let accepted = 0;
    for (let i = 0; i < count; i++) {
      const { bytes, password, choice, name } = quick[random(quick.length)] as CorpusFile;
      const { bytes: other } = quick[random(quick.length)] as CorpusFile;
      const mutated = mutate(bytes, other, random);
      const before = process.cpuUsage();
      const show = (): string =>
        `seed ${seed}, mutation ${i} of ${name}: ${Buffer.from(mutated).toString('base64')}`;
      let imported: Awaited<ReturnType<typeof importKeyMaterial>>;
      try {
        imported = await importKeyMaterial(mutated, { password, choice, workMilliseconds: 300 });
      } catch (error) {
        throw new Error(show(), { cause: error });
      }
      const { user, system } = process.cpuUsage(before);
      if (user + system > 1_000_000) throw new Error(`${(user + system) / 1_000} ms: ${show()}`);
      if (imported.ok) accepted++;
      else if (imported.fault.detail?.includes(password ?? '\0'))
        throw new Error(`tells the password: ${show()}`);
    }
    // Text around a block, a comment or an unprotected attribute may change; most changes must be seen.
    expect(accepted / count).toBeLessThan(0.5);
  });
});
