// Key and certificate files as the tools of the field write them, and what those tools say of them.
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/process.ts';
import { must } from './tools.ts';

/** What a tool says of a key. */
export type ToolFacts = {
  readonly type: 'rsa' | 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'ed25519';
  readonly bits: number;
  /** `SHA256:…` */
  readonly fingerprint: string;
};

/** One file of the corpus. */
export type CorpusFile = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly password?: string;
  /** Entry of a file that holds several. */
  readonly choice?: string;
  readonly form: 'private-key' | 'ssh-public-key' | 'certificates' | 'ssh-certificate';
  readonly facts: ToolFacts;
  /** Certificates of the chain, leaf first: SHA-256 in hexadecimal. */
  readonly chain?: readonly string[];
};

export const password = 'correct horse: staple';

/** Runs jobs, a few at a time: each waits for processes of its own. */
export async function together<T, R>(items: readonly T[], job: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await job(next[1]);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}

/** What `ssh-keygen -l` says of a file. */
export async function keygenFacts(file: string): Promise<ToolFacts> {
  const line = await must('ssh-keygen', ['-l', '-f', file]);
  const [, bits = '', fingerprint = '', name = ''] = /^(\d+) (SHA256:\S+) .*\((\S+)\)\s*$/.exec(line) ?? [];
  const kind = name.replace('-CERT', '').toLowerCase();
  return {
    type: (kind === 'ecdsa' ? `ecdsa-p${bits}` : kind) as ToolFacts['type'],
    bits: Number(bits),
    fingerprint,
  };
}

/** A key that OpenSSL made: PKCS#8 PEM. */
export type BaseKey = {
  readonly label: string;
  readonly file: string;
  readonly spki: string;
  readonly facts: ToolFacts;
};

const kinds = [
  ['rsa-2048', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['rsa-3072', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072']],
  ['p256', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['p384', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']],
  ['p521', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']],
  ['ed25519', ['-algorithm', 'ed25519']],
] as const;

/** Keys of every type, by OpenSSL; ssh-keygen says what they are, but for Ed25519, which it does not read as PEM. */
export async function baseKeys(): Promise<BaseKey[]> {
  const folder = temporaryFolder();
  return together(kinds, async ([label, options]) => {
    const file = join(folder, `${label}.pem`);
    const spki = join(folder, `${label}.pub`);
    await must('openssl', ['genpkey', ...options, '-out', file]);
    await must('openssl', ['pkey', '-in', file, '-pubout', '-out', spki]);
    if (label !== 'ed25519') {
      const line = join(folder, `${label}.line`);
      await must('sh', ['-c', `ssh-keygen -i -m PKCS8 -f '${spki}' > '${line}'`]);
      return { label, file, spki, facts: await keygenFacts(line) };
    }
    const raw = createPublicKey(readFileSync(spki)).export({ type: 'spki', format: 'der' }).subarray(-32);
    const blob = Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'), raw]);
    const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
    return { label, file, spki, facts: { type: 'ed25519', bits: 256, fingerprint } };
  });
}

/** SHA-256 of a certificate as OpenSSL tells it. */
export async function certificateSha256(file: string): Promise<string> {
  const line = await must('openssl', ['x509', '-in', file, '-noout', '-fingerprint', '-sha256']);
  return line.trim().replace(/^.*=/, '').replaceAll(':', '').toLowerCase();
}
