import { importKeyMaterial } from '@sallyport/pki';
import { describe, expect, it } from 'vitest';
import { certtoolFiles } from './certtool-files.ts';
import { baseKeys, type CorpusFile } from './corpus.ts';
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
