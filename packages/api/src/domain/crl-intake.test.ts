import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSerials } from '@sallyport/pki';
import { type CertificateRow, crlChunksOf, findCertificate, findCrlFacts } from '@sallyport/store';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../../../../test/support/process.ts';
import { inProcess } from '../fixture/in-process.ts';
import { putCrl, verifyCrl } from './crl-intake.ts';

const entries = 100_000;
const serialOf = (i: number): string => (0x10_0000_0000 + i * 7).toString(16);

/** A CA and its list of so many entries, by OpenSSL. */
async function longList(): Promise<{ ca: string; file: Buffer }> {
  const cwd = temporaryFolder();
  const file = (name: string, text: string) => writeFileSync(join(cwd, name), text);
  const openssl = async (...args: string[]) => {
    const { code, stderr } = await run('openssl', args, { cwd });
    expect(code, stderr).toBe(0);
  };
  file(
    'config',
    '[ca]\ndefault_ca=d\n[d]\ndatabase=db\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=9\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n',
  );
  file('number', '0A\n');
  const line = (_: unknown, i: number) =>
    `R\t400101000000Z\t260101000000Z,superseded\t${serialOf(i).toUpperCase()}\tunknown\t/CN=x\n`;
  file('db', Array.from({ length: entries }, line).join(''));
  const req = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '99',
  ];
  await openssl(...req, '-subj', '/CN=Long', '-keyout', 'key', '-out', 'ca');
  await openssl('ca', '-config', 'config', '-gencrl', '-keyfile', 'key', '-cert', 'ca', '-out', 'crl');
  return { ca: readFileSync(join(cwd, 'ca'), 'utf8'), file: readFileSync(join(cwd, 'crl')) };
}

test('a list of 100,000 entries by OpenSSL is verified, packed and stored', { timeout: 60_000 }, async () => {
  const plane = await inProcess();
  try {
    const { ca, file } = await longList();
    const body = { source: 'import', kind: 'trusted', alias: 'long', text: ca };
    const { id } = (await plane.call('POST /v1/certificates', { body })).body;
    const { queries } = plane.deps.store;
    const row = (await findCertificate(queries, id)) as CertificateRow;
    const now = Date.now();
    const before = process.cpuUsage();
    const list = await verifyCrl(row, file, now);
    const put = () => plane.deps.store.change('init', (change) => putCrl(change, row, list, 'uploaded', now));
    expect(await put()).toMatchObject({ ok: true, value: { value: 'stored' } });
    const { user, system } = process.cpuUsage(before);
    console.log(`${file.length} bytes of PEM, ${entries} entries: ${((user + system) / 1_000).toFixed()} ms`);
    // Of the processor, whatever else the machine is at.
    expect(user + system).toBeLessThan(6_000_000);

    expect(await put()).toMatchObject({ ok: true, value: { value: 'unchanged' } });
    expect(await findCrlFacts(queries, id)).toMatchObject({ source: 'uploaded', entries, number: '10' });
    const chunks = await crlChunksOf(queries, id);
    const serials = readSerials(chunks);
    if (!serials.ok) throw new Error(serials.fault.detail);
    expect([serials.value.size, serials.value.has(serialOf(0)), serials.value.has(serialOf(99_999))]).toEqual(
      [entries, true, true],
    );
    expect(serials.value.has((0x10_0000_0000 + 1).toString(16))).toBe(false);
    expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(600_000);
  } finally {
    plane.close();
  }
});
