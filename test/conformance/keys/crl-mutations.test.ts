// Revocation lists that somebody has tampered with on the way: none is taken for one that its CA has signed, none ends
// anything, none takes long.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, sha256Hex } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { packSerials, parseCertificate, parseCrl, readCrlFile, readSerials } from '@sallyport/pki';
import { beforeAll, expect, it } from 'vitest';
import { mutate, seeded } from '../../support/mutate.ts';
import { temporaryFolder } from '../../support/process.ts';
import { must } from './tools.ts';

const count = Number(process.env.SALLYPORT_KEY_MUTATIONS ?? (process.env.CI ? 20_000 : 2_000)) / 4;
const seed = Number(process.env.SALLYPORT_KEY_SEED ?? 20_260_601);
const entries = 20;

type ListFile = { readonly name: string; readonly bytes: Uint8Array; readonly ca: Uint8Array };
let files: readonly ListFile[];

/** A list by `openssl ca`, in both encodings. */
async function listsBy(algorithm: readonly string[]): Promise<ListFile[]> {
  const cwd = temporaryFolder();
  const at = (name: string) => join(cwd, name);
  const file = (name: string, text: string) => writeFileSync(at(name), text);
  file(
    'config',
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('db')}\ncrlnumber=${at('number')}\ndefault_md=sha256\ndefault_crl_days=9\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n`,
  );
  file('number', '0A\n');
  const line = (_: unknown, i: number) =>
    `R\t400101000000Z\t260101000000Z,${i % 2 ? 'superseded' : 'keyCompromise'}\t${(0x1a2b00 + i).toString(16).toUpperCase()}\tunknown\t/CN=x\n`;
  file('db', Array.from({ length: entries }, line).join(''));
  const self = ['-subj', '/CN=Lists', '-keyout', at('key'), '-out', at('ca')];
  await must('openssl', ['req', '-x509', ...algorithm, '-nodes', ...self]);
  const signer = ['-keyfile', at('key'), '-cert', at('ca'), '-out', at('crl.pem')];
  await must('openssl', ['ca', '-config', at('config'), '-gencrl', ...signer]);
  await must('openssl', ['crl', '-in', at('crl.pem'), '-outform', 'DER', '-out', at('crl.der')]);
  const ca = fromBase64(readFileSync(at('ca'), 'utf8').replace(/-----[^-]+-----|\s/g, ''));
  return ['crl.pem', 'crl.der'].map((name) => ({
    name: `${algorithm[1]} ${name}`,
    bytes: readFileSync(at(name)),
    ca,
  }));
}

beforeAll(async () => {
  const made = [
    ['-newkey', 'rsa:2048'],
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ['-newkey', 'ed25519'],
  ].map(listsBy);
  files = (await Promise.all(made)).flat();
});

const read = async (bytes: Uint8Array, ca: Uint8Array) => {
  const der = readCrlFile(bytes);
  return der.ok ? parseCrl(der.value, unwrap(parseCertificate(ca))) : der;
};

it('the lists are good as they are', async () => {
  for (const { bytes, ca } of files) expect(unwrap(await read(bytes, ca)).revoked.size).toBe(entries);
});

it(`${count} mutations of lists`, { timeout: 600_000 }, async () => {
  const random = seeded(seed);
  const pick = () => files[random(files.length)] as ListFile;
  const originals = new Map(files.map(({ name, bytes }) => [name, sha256Hex(unwrap(readCrlFile(bytes)))]));
  for (let i = 0; i < count; i++) {
    const { name, bytes, ca } = pick();
    const mutated = mutate(bytes, pick().bytes, random);
    const show = () => `seed ${seed}, mutation ${i} of ${name}: ${Buffer.from(mutated).toString('base64')}`;
    const before = process.cpuUsage();
    let result: Awaited<ReturnType<typeof read>>;
    try {
      result = await read(mutated, ca);
    } catch (error) {
      throw new Error(show(), { cause: error });
    }
    const { user, system } = process.cpuUsage(before);
    if (user + system > 1_000_000) throw new Error(`${(user + system) / 1_000} ms: ${show()}`);
    // Text around a PEM block may change; what the CA has signed may not, nor how the signature is written.
    if (result.ok) expect(sha256Hex(result.value.der), show()).toBe(originals.get(name));
  }
});

it(`${count} mutations of packed serial numbers`, () => {
  const random = seeded(seed);
  const [chunk] = packSerials(Array.from({ length: 500 }, (_, i) => (0x4000 + i * 97).toString(16)));
  const good = chunk as Uint8Array<ArrayBuffer>;
  for (let i = 0; i < count; i++) {
    const set = readSerials([new Uint8Array(mutate(good, good, random))]);
    if (set.ok) expect([true, false]).toContain(set.value.has('4000'));
  }
});
