import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run, temporaryFolder } from '../../support/process.ts';
import type { TlsLogin } from './curl.ts';
import { type Quickstart, untilLive } from './quickstart.ts';

/** An account made through the API, with everything that its owner holds. */
export type Partner = {
  readonly id: string;
  readonly name: string;
  readonly password: string;
  /** File of an SSH private key. */
  readonly key: string;
  readonly certificate: NonNullable<TlsLogin['certificate']>;
  /** Ids of the login certificates of the two. */
  readonly keyId: string;
  readonly certificateId: string;
};

/** Makes an SSH key as a partner would, and answers its file and its public line. */
export async function makeSshKey(
  name: string,
): Promise<{ readonly file: string; readonly publicKey: string }> {
  const file = join(temporaryFolder(), name);
  expect(await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file])).toMatchObject({
    code: 0,
  });
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** Makes an account with a password, an SSH key and a client certificate, and waits until the node knows it. */
export async function makePartner(quickstart: Quickstart, zone: string, name: string): Promise<Partner> {
  const { api } = quickstart;
  const password = randomBytes(12).toString('base64url');
  const { id } = await api.accounts.create({ name, zones: [zone], password });
  const { file, publicKey } = await makeSshKey(name);
  const key = await api.certificates.create({
    source: 'import',
    kind: 'login',
    alias: `${name}-key`,
    account: id,
    text: publicKey,
  });
  const issued = await api.certificates.create({
    source: 'generate',
    kind: 'login',
    alias: `${name}-client`,
    account: id,
    handOut: { format: 'pem' },
  });
  const folder = temporaryFolder();
  const certificate = { cert: join(folder, 'client.pem'), key: join(folder, 'client.key') };
  await writeFile(certificate.cert, issued.pem);
  await writeFile(certificate.key, Buffer.from(issued.handedOut?.data ?? '', 'base64'), { mode: 0o600 });
  await untilLive(quickstart, zone, issued.changeSequence);
  return { id, name, password, key: file, certificate, keyId: key.id, certificateId: issued.id };
}

/** A client certificate that no CA of ours has signed and no account has. */
export async function makeCertificateOfNobody(): Promise<NonNullable<TlsLogin['certificate']>> {
  const folder = temporaryFolder();
  const made = { cert: join(folder, 'nobody.pem'), key: join(folder, 'nobody.key') };
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  const files = ['-subj', '/CN=demo', '-keyout', made.key, '-out', made.cert];
  expect(await run('openssl', [...request, ...files])).toMatchObject({ code: 0 });
  return made;
}
