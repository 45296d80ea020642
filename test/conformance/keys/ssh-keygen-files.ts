import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/process.ts';
import { type CorpusFile, keygenFacts, password, together } from './corpus.ts';
import { must } from './tools.ts';

const kinds = [
  ['rsa', ['-t', 'rsa', '-b', '2048']],
  ['p256', ['-t', 'ecdsa', '-b', '256']],
  ['p384', ['-t', 'ecdsa', '-b', '384']],
  ['p521', ['-t', 'ecdsa', '-b', '521']],
  ['ed25519', ['-t', 'ed25519']],
] as const;

const ciphers = [
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'aes128-cbc',
  'aes192-cbc',
  'aes256-cbc',
  '3des-cbc',
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
];

/** Private keys, public keys, lines with options and certificates, as ssh-keygen writes them. */
export async function sshKeygenFiles(): Promise<CorpusFile[]> {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  for (const ca of ['ed25519', 'ecdsa', 'rsa']) {
    await must('ssh-keygen', ['-q', '-t', ca, '-N', '', '-C', `ca ${ca}`, '-f', at(`ca-${ca}`)]);
  }
  const files = await together(kinds, async ([label, options]): Promise<CorpusFile[]> => {
    const key = at(label);
    await must('ssh-keygen', ['-q', ...options, '-N', '', '-C', `comment of ${label}`, '-f', key]);
    const facts = await keygenFacts(`${key}.pub`);
    const file = (
      name: string,
      bytes: Uint8Array,
      form: CorpusFile['form'] = 'private-key',
      more: Partial<CorpusFile> = {},
    ): CorpusFile => ({ name: `ssh-keygen ${label} ${name}`, bytes, form, facts, ...more });
    const line = readFileSync(`${key}.pub`);
    const made = [
      file('private', readFileSync(key)),
      file('public', line, 'ssh-public-key'),
      file('RFC 4716', Buffer.from(await must('ssh-keygen', ['-e', '-f', key])), 'ssh-public-key'),
    ];
    const options1 = 'from="10.0.0.0/8,2001:db8::/32",expiry-time="20400101",restrict';
    made.push(file('line with options', Buffer.from(`# a comment\n${options1} ${line}`), 'ssh-public-key'));
    made.push(file('line of a CA', Buffer.from(`cert-authority ${line}`), 'ssh-public-key'));
    if (label !== 'ed25519') {
      const pem = await must('ssh-keygen', ['-e', '-m', 'PKCS8', '-f', key]);
      made.push(file('public PKCS8', Buffer.from(pem), 'ssh-public-key'));
    }
    if (label === 'rsa') {
      const pem = await must('ssh-keygen', ['-e', '-m', 'PEM', '-f', key]);
      made.push(file('public PEM', Buffer.from(pem), 'ssh-public-key'));
    }
    const rewrite = async (name: string, passphrase: string, ...args: string[]): Promise<void> => {
      const copy = at(`${label} ${name}`.replace(/[^A-Za-z0-9]/g, '_'));
      copyFileSync(key, copy);
      await must('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, ...args, '-f', copy]);
      made.push(
        file(name, readFileSync(copy), 'private-key', passphrase === '' ? {} : { password: passphrase }),
      );
    };
    // ssh-keygen knows no other form of an Ed25519 key than its own.
    const formats = label === 'ed25519' ? [] : ['PEM', 'PKCS8'];
    for (const format of formats) {
      await rewrite(format, '', '-m', format);
      await rewrite(`${format} encrypted`, password, '-m', format);
    }
    for (const cipher of ciphers) await rewrite(cipher, password, '-a', '1', '-Z', cipher);
    await rewrite('default protection', password);
    for (const [kind, ca, flags] of [
      ['user', 'ed25519', []],
      ['user', 'ecdsa', ['-O', 'source-address=10.0.0.0/8', '-O', 'force-command=internal-sftp']],
      ['user', 'rsa', ['-V', '-1h:+1d']],
      ['host', 'ed25519', ['-h', '-V', 'always:forever']],
    ] as const) {
      const copy = at(`${label}-${kind}-${ca}.pub`);
      copyFileSync(`${key}.pub`, copy);
      const signed = ['-s', at(`ca-${ca}`), '-I', `id of ${label}`, '-n', 'demo,other', '-z', '7', ...flags];
      await must('ssh-keygen', ['-q', ...signed, copy]);
      const certificate = copy.replace(/\.pub$/, '-cert.pub');
      const certified = await keygenFacts(certificate);
      made.push({
        ...file(`${kind} certificate of ${ca}`, readFileSync(certificate), 'ssh-certificate'),
        facts: { ...facts, fingerprint: certified.fingerprint },
      });
    }
    return made;
  });
  const both = `${kinds.map(([label]) => readFileSync(`${at(label)}.pub`, 'utf8')).join('')}`;
  writeFileSync(at('authorized_keys'), both);
  const several = await together(
    kinds.slice(0, 2),
    async ([label]): Promise<CorpusFile> => ({
      name: `ssh-keygen authorized_keys, ${label} chosen`,
      bytes: Buffer.from(both),
      form: 'ssh-public-key',
      choice: `comment of ${label}`,
      facts: await keygenFacts(`${at(label)}.pub`),
    }),
  );
  return [...files.flat(), ...several];
}
