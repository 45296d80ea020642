import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/process.ts';
import { type CorpusFile, password, type ToolFacts, together } from './corpus.ts';
import { must } from './tools.ts';

const kinds = [
  ['rsa', ['-t', 'rsa', '-b', '2048']],
  ['p256', ['-t', 'ecdsa', '-b', '256']],
  ['p384', ['-t', 'ecdsa', '-b', '384']],
  ['p521', ['-t', 'ecdsa', '-b', '521']],
  ['ed25519', ['-t', 'ed25519']],
] as const;

/** What `puttygen -l` says of a file. */
async function puttygenFacts(file: string, label: string): Promise<ToolFacts> {
  const line = await must('puttygen', [file, '-l', '-E', 'sha256']);
  const [, bits = '', fingerprint = ''] = /^\S+ (\d+) (SHA256:\S+)/.exec(line) ?? [];
  const type = label.startsWith('p') ? `ecdsa-${label}` : label;
  return { type: type as ToolFacts['type'], bits: label === 'ed25519' ? 256 : Number(bits), fingerprint };
}

const forms = [
  ['ppk 2', [], ['version=2'], false],
  ['ppk 2 encrypted', [], ['version=2'], true],
  ['ppk 3', [], ['version=3'], false],
  ['ppk 3 argon2id', [], ['version=3', 'kdf=argon2id', 'memory=1024', 'passes=2'], true],
  ['ppk 3 argon2i', [], ['version=3', 'kdf=argon2i', 'memory=1024', 'passes=3', 'parallelism=2'], true],
  ['ppk 3 argon2d', [], ['version=3', 'kdf=argon2d', 'memory=512', 'passes=2'], true],
  ['OpenSSH', ['-O', 'private-openssh'], [], false],
  ['OpenSSH encrypted', ['-O', 'private-openssh'], [], true],
  ['new OpenSSH', ['-O', 'private-openssh-new'], [], false],
  ['new OpenSSH encrypted', ['-O', 'private-openssh-new'], [], true],
] as const;

/** PuTTY's own files and what puttygen exports. */
export async function puttygenFiles(): Promise<CorpusFile[]> {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name.replace(/[^A-Za-z0-9.]/g, '_'));
  writeFileSync(at('empty'), '');
  writeFileSync(at('passphrase'), password);
  const files = await together(kinds, async ([label, options]): Promise<CorpusFile[]> => {
    const key = at(`${label}.ppk`);
    const random = ['--random-device', '/dev/urandom'];
    await must('puttygen', [
      ...options,
      ...random,
      '-q',
      '-C',
      `clé of ${label}`,
      '--new-passphrase',
      at('empty'),
      '-o',
      key,
    ]);
    const facts = await puttygenFacts(key, label);
    const made: CorpusFile[] = [];
    for (const [name, output, parameters, encrypted] of forms) {
      const target = at(`${label} ${name}`);
      const ppk = parameters.length > 0 ? ['--ppk-param', parameters.join(',')] : [];
      const how = [
        '--new-passphrase',
        at(encrypted ? 'passphrase' : 'empty'),
        '--old-passphrase',
        at('empty'),
      ];
      await must('puttygen', [key, '-P', ...output, ...ppk, ...how, '-o', target]);
      made.push({
        name: `puttygen ${label} ${name}`,
        bytes: readFileSync(target),
        form: 'private-key',
        facts,
        ...(encrypted ? { password } : {}),
      });
    }
    for (const form of ['public', 'public-openssh']) {
      const bytes = Buffer.from(await must('puttygen', [key, '-O', form]));
      made.push({ name: `puttygen ${label} ${form}`, bytes, form: 'ssh-public-key', facts });
    }
    return made;
  });
  // As it comes from puttygen without a word: 8 MiB and as many passes as 100 ms have.
  const target = at('default.ppk');
  const how = ['-P', '--new-passphrase', at('passphrase'), '--old-passphrase', at('empty')];
  await must('puttygen', [at('ed25519.ppk'), ...how, '-o', target]);
  const facts = await puttygenFacts(at('ed25519.ppk'), 'ed25519');
  const name = 'puttygen default protection';
  return [...files.flat(), { name, bytes: readFileSync(target), form: 'private-key', facts, password }];
}
