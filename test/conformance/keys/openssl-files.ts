import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/process.ts';
import { type BaseKey, type CorpusFile, certificateSha256, password, together } from './corpus.ts';
import { must } from './tools.ts';

type Recipe = {
  readonly name: string;
  readonly args: readonly string[];
  readonly password?: string;
  readonly form?: CorpusFile['form'];
};

const legacy = ['-provider', 'legacy', '-provider', 'default'];
const pass = `pass:${password}`;

const modern = (name: string, ...args: string[]): Recipe => ({
  name: `PKCS#8 ${name}`,
  args: ['pkcs8', '-topk8', '-passout', pass, ...args],
  password,
});

const everyPkcs8: readonly Recipe[] = [
  ...['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des3'].map((cipher) => modern(cipher, '-v2', cipher)),
  ...['hmacWithSHA1', 'hmacWithSHA224', 'hmacWithSHA256', 'hmacWithSHA384', 'hmacWithSHA512'].map((prf) =>
    modern(prf, '-v2', 'aes-256-cbc', '-v2prf', prf),
  ),
  modern('scrypt', '-scrypt'),
  modern('scrypt N=4096', '-scrypt', '-scrypt_N', '4096', '-scrypt_r', '8', '-scrypt_p', '2'),
  modern('100000 iterations', '-v2', 'aes-256-cbc', '-iter', '100000'),
  modern('rc2', ...legacy, '-v2', 'rc2-cbc'),
  modern('des', ...legacy, '-v2', 'des-cbc'),
  ...[
    'PBE-MD5-DES',
    'PBE-MD5-RC2-64',
    'PBE-SHA1-DES',
    'PBE-SHA1-RC2-64',
    'PBE-SHA1-3DES',
    'PBE-SHA1-2DES',
    'PBE-SHA1-RC2-128',
    'PBE-SHA1-RC2-40',
    'PBE-SHA1-RC4-128',
    'PBE-SHA1-RC4-40',
  ].map((scheme) => modern(scheme, ...legacy, '-v1', scheme)),
];

const plain: readonly Recipe[] = [
  { name: 'PKCS#8 PEM', args: ['pkcs8', '-topk8', '-nocrypt'] },
  { name: 'PKCS#8 DER', args: ['pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'] },
  { name: 'SPKI PEM', args: ['pkey', '-pubout'], form: 'ssh-public-key' },
  { name: 'SPKI DER', args: ['pkey', '-pubout', '-outform', 'DER'], form: 'ssh-public-key' },
];

const traditional: readonly Recipe[] = [
  { name: 'traditional PEM', args: ['pkey', '-traditional'] },
  { name: 'traditional DER', args: ['pkey', '-traditional', '-outform', 'DER'] },
  ...['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des3'].map((cipher) => ({
    name: `traditional ${cipher}`,
    args: ['pkey', '-traditional', `-${cipher}`, '-passout', pass],
    password,
  })),
  {
    name: 'traditional des',
    args: ['pkey', ...legacy, '-traditional', '-des-cbc', '-passout', pass],
    password,
  },
];

function recipesFor({ label }: BaseKey): readonly Recipe[] {
  const all = label === 'rsa-2048' || label === 'p256';
  const encrypted = all ? everyPkcs8 : everyPkcs8.filter((_, i) => i === 2 || i === 9 || i === 18);
  const rsaPublic: readonly Recipe[] = [
    { name: 'PKCS#1 public PEM', args: ['rsa', '-RSAPublicKey_out'], form: 'ssh-public-key' },
    {
      name: 'PKCS#1 public DER',
      args: ['rsa', '-RSAPublicKey_out', '-outform', 'DER'],
      form: 'ssh-public-key',
    },
  ];
  const curve: readonly Recipe[] = [
    { name: 'SEC1 without the public key', args: ['ec', '-no_public'] },
    { name: 'SEC1 with a compressed point', args: ['ec', '-conv_form', 'compressed'] },
  ];
  const rsa = label.startsWith('rsa');
  return [
    ...plain,
    ...encrypted,
    ...(label === 'ed25519' ? [] : traditional),
    ...(rsa ? rsaPublic : []),
    ...(label.startsWith('p') ? curve : []),
  ];
}

/** Private and public keys in every form that OpenSSL writes. */
export async function opensslKeys(keys: readonly BaseKey[]): Promise<CorpusFile[]> {
  const folder = temporaryFolder();
  const jobs = keys.flatMap((key) => recipesFor(key).map((recipe) => ({ key, recipe })));
  return together(jobs, async ({ key, recipe }) => {
    const file = join(folder, `${key.label} ${recipe.name}`.replace(/[^A-Za-z0-9-]/g, '_'));
    await must('openssl', [...recipe.args, '-in', key.file, '-out', file]);
    return {
      name: `openssl ${key.label} ${recipe.name}`,
      bytes: readFileSync(file),
      form: recipe.form ?? 'private-key',
      facts: key.facts,
      ...(recipe.password === undefined ? {} : { password: recipe.password }),
    };
  });
}

/** Certificates: alone, in chains, in PKCS#7 and, with their keys, in PKCS#12. */
export async function opensslCertificates(keys: readonly BaseKey[]): Promise<CorpusFile[]> {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const [caKey, middleKey] = [keys[2] as BaseKey, keys[0] as BaseKey];
  const request = ['req', '-new', '-batch'];
  await must('openssl', [
    ...request,
    '-x509',
    '-key',
    caKey.file,
    '-subj',
    '/O=Test/CN=Root',
    '-days',
    '9',
    '-out',
    at('root'),
  ]);
  writeFileSync(
    at('ca.ext'),
    'basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
  );
  writeFileSync(at('leaf.ext'), 'subjectAltName=DNS:gate.example\nauthorityKeyIdentifier=keyid\n');
  const sign = async (
    key: BaseKey,
    name: string,
    ext: string,
    issuer: string,
    issuerKey: BaseKey,
  ): Promise<void> => {
    await must('openssl', [...request, '-key', key.file, '-subj', `/CN=${name}`, '-out', at(`${name}.csr`)]);
    const by = [
      '-CA',
      at(issuer),
      '-CAkey',
      issuerKey.file,
      '-CAcreateserial',
      '-CAserial',
      at(`${name}.srl`),
    ];
    await must('openssl', [
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...by,
      '-days',
      '9',
      '-extfile',
      at(ext),
      '-out',
      at(name),
    ]);
  };
  await sign(middleKey, 'middle', 'ca.ext', 'root', caKey);
  const [root, middle] = await Promise.all([certificateSha256(at('root')), certificateSha256(at('middle'))]);
  const files = await together(keys, async (key): Promise<CorpusFile[]> => {
    const leaf = `leaf-${key.label}`;
    await sign(key, leaf, 'leaf.ext', 'middle', middleKey);
    const own = await certificateSha256(at(leaf));
    const bundle = at(`${leaf}.bundle`);
    // The wrong way round on purpose.
    for (const part of ['root', 'middle', leaf]) appendFileSync(bundle, readFileSync(at(part)));
    const out = (name: string): string => at(`${leaf}.${name}`.replace(/[^A-Za-z0-9.-]/g, '_'));
    const file = (name: string, chain: readonly string[], more: Partial<CorpusFile> = {}): CorpusFile => ({
      name: `openssl ${key.label} ${name}`,
      bytes: readFileSync(out(name)),
      form: 'certificates',
      facts: key.facts,
      chain,
      ...more,
    });
    copyFileSync(at(leaf), out('certificate PEM'));
    copyFileSync(bundle, out('bundle PEM'));
    await must('openssl', ['x509', '-in', at(leaf), '-outform', 'DER', '-out', out('certificate DER')]);
    await must('openssl', [
      'x509',
      '-in',
      at(leaf),
      '-trustout',
      '-addtrust',
      'clientAuth',
      '-out',
      out('TRUSTED'),
    ]);
    await must('openssl', ['x509', '-in', at(leaf), '-text', '-out', out('certificate with text')]);
    const bags = ['crl2pkcs7', '-nocrl', '-certfile', bundle];
    await must('openssl', [...bags, '-out', out('PKCS#7 PEM')]);
    await must('openssl', [...bags, '-outform', 'DER', '-out', out('PKCS#7 DER')]);
    appendFileSync(out('key and bundle PEM'), Buffer.concat([readFileSync(key.file), readFileSync(bundle)]));
    const whole = [own, middle, root];
    const pkcs12 = async (
      name: string,
      protection: string | undefined,
      ...args: string[]
    ): Promise<CorpusFile> => {
      const withKey = [
        '-inkey',
        key.file,
        '-in',
        at(leaf),
        '-certfile',
        bundle,
        '-name',
        `key of ${key.label}`,
      ];
      const source = args.includes('-nokeys') ? ['-in', bundle] : withKey;
      const target = ['-out', out(name), '-passout', `pass:${protection ?? ''}`];
      await must('openssl', ['pkcs12', '-export', ...source, ...target, ...args]);
      return file(name, whole, {
        form: args.includes('-nokeys') ? 'certificates' : 'private-key',
        ...(protection === undefined ? {} : { password: protection }),
      });
    };
    const old = ['-legacy', ...legacy];
    const everywhere = [
      () => pkcs12('PKCS#12', password),
      () => pkcs12('PKCS#12 legacy', password, ...old),
      () => pkcs12('PKCS#12 without a password', undefined),
    ];
    const once = [
      () => pkcs12('PKCS#12 3DES certificates', password, ...old, '-descert'),
      () =>
        pkcs12('PKCS#12 RC4', password, ...old, '-keypbe', 'PBE-SHA1-RC4-128', '-certpbe', 'PBE-SHA1-RC2-40'),
      () => pkcs12('PKCS#12 AES-128', password, '-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC'),
      () => pkcs12('PKCS#12 SHA-512 MAC', password, '-macalg', 'sha512'),
      () => pkcs12('PKCS#12 SHA-1 MAC', password, '-macalg', 'sha1'),
      () => pkcs12('PKCS#12 50000 iterations', password, '-iter', '50000'),
      () => pkcs12('PKCS#12 without a MAC', password, '-nomac'),
      () => pkcs12('PKCS#12 in clear', password, '-keypbe', 'NONE', '-certpbe', 'NONE'),
      () =>
        pkcs12('PKCS#12 in clear without a MAC', undefined, '-keypbe', 'NONE', '-certpbe', 'NONE', '-nomac'),
      () => pkcs12('PKCS#12 legacy without a password', undefined, ...old),
      () => pkcs12('PKCS#12 of another script', 'пароль €ß', ...old),
      () => pkcs12('PKCS#12 of another script, modern', 'пароль €ß'),
      () => pkcs12('PKCS#12 truststore', password, '-nokeys'),
    ];
    const made: CorpusFile[] = [];
    for (const make of key.label === 'p384' ? [...everywhere, ...once] : everywhere) made.push(await make());
    return [
      file('certificate PEM', [own]),
      file('certificate DER', [own]),
      file('TRUSTED', [own]),
      file('certificate with text', [own]),
      file('bundle PEM', whole),
      file('PKCS#7 PEM', whole),
      file('PKCS#7 DER', whole),
      file('key and bundle PEM', whole, { form: 'private-key' }),
      ...made,
    ];
  });
  return files.flat();
}
