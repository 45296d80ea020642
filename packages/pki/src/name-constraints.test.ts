import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { describe, expect, it } from 'vitest';
import { run, temporaryFolder } from '../../../test/support/process.ts';
import { judge } from '../fixture/judged-client.ts';

/** A chain by OpenSSL: a root with these name constraints, a CA below it, and a leaf with these names. */
async function chain(
  constraints: string,
  names: string,
  subject = '/O=Acme/CN=leaf',
): Promise<{ presented: Bytes[]; root: Bytes; openssl: boolean; at: Date }> {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder, name);
  const ok = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await run('openssl', args);
    expect(code, stderr).toBe(0);
  };
  const ca = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\nsubjectKeyIdentifier=hash\n';
  const dirs = '[acme]\nO=ACME\n[other]\nO=Other\n[acmeunit]\nO=Acme\nOU=Unit\n';
  writeFileSync(at('root.ext'), `${ca}nameConstraints=${constraints}\n${dirs}`);
  writeFileSync(at('middle.ext'), ca);
  const leafNames = names === '' ? '' : `subjectAltName=${names}\n`;
  writeFileSync(
    at('leaf.ext'),
    `keyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n${leafNames}${dirs}`,
  );
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const sign = async (name: string, subjectName: string, ...by: string[]): Promise<void> => {
    const request = [
      'req',
      '-new',
      ...key,
      '-subj',
      subjectName,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at('csr'),
    ];
    await ok(...request);
    const days = ['-days', '9', '-extfile', at(`${name}.ext`), '-out', at(name)];
    await ok('x509', '-req', '-in', at('csr'), ...by, ...days);
  };
  await sign('root', '/CN=Root', '-signkey', at('root.key'));
  const by = (name: string): string[] => ['-CA', at(name), '-CAkey', at(`${name}.key`), '-CAcreateserial'];
  await sign('middle', '/O=Acme/CN=Middle', ...by('root'));
  await sign('leaf', subject, ...by('middle'));
  const verify = [
    'verify',
    '-CAfile',
    at('root'),
    '-untrusted',
    at('middle'),
    '-purpose',
    'sslclient',
    at('leaf'),
  ];
  const { code } = await run('openssl', verify);
  const der = (name: string): Bytes =>
    fromBase64(readFileSync(at(name), 'utf8').replace(/-----[^-]+-----|\s/g, ''));
  return { presented: [der('leaf'), der('middle')], root: der('root'), openssl: code === 0, at: new Date() };
}

const cases: readonly (readonly [constraints: string, names: string, accepted: boolean, subject?: string])[] =
  [
    ['critical,permitted;DNS:example.com', 'DNS:gate.example.com', true],
    ['critical,permitted;DNS:example.com', 'DNS:EXAMPLE.com', true],
    ['permitted;DNS:example.com', 'DNS:badexample.com', false],
    ['critical,permitted;DNS:example.com', 'email:a@elsewhere.example', true],
    ['critical,excluded;DNS:bad.example', 'DNS:x.bad.example', false],
    ['critical,excluded;DNS:bad.example', 'DNS:good.example', true],
    ['critical,permitted;IP:10.0.0.0/255.0.0.0', 'IP:10.1.2.3', true],
    ['critical,permitted;IP:10.0.0.0/255.0.0.0', 'IP:11.1.2.3', false],
    ['critical,permitted;IP:10.0.0.0/255.0.0.0', 'IP:2001:db8::1', false],
    ['critical,permitted;IP:2001:db8::/ffff:ffff::', 'IP:2001:db8::1', true],
    ['critical,permitted;email:example.com', 'email:a@example.com', true],
    ['critical,permitted;email:example.com', 'email:a@sub.example.com', false],
    ['critical,permitted;email:.example.com', 'email:a@sub.example.com', true],
    ['critical,permitted;email:a@example.com', 'email:b@example.com', false],
    ['critical,permitted;email:example.com', '', false, '/O=Acme/CN=leaf/emailAddress=a@other.example'],
    ['critical,permitted;URI:.example.com', 'URI:https://gate.example.com:8/x', true],
    ['critical,permitted;URI:.example.com', 'URI:https://example.com/x', false],
    ['critical,excluded;URI:example.com', 'URI:https://example.com/', false],
    ['critical,permitted;dirName:acme', '', true],
    ['critical,permitted;dirName:other', '', false],
    ['critical,permitted;dirName:acme', '', false, '/O=Elsewhere/CN=leaf'],
    ['critical,permitted;dirName:acme', 'dirName:other', false],
    ['critical,excluded;dirName:acmeunit', '', false, '/O=Acme/OU=Unit/CN=leaf'],
    ['critical,excluded;dirName:acmeunit', '', true, '/O=Acme/OU=Units/CN=leaf'],
    ['critical,permitted;otherName:1.2.3.4;UTF8:x', 'otherName:1.2.3.4;UTF8:x', false],
  ];

describe('name constraints of a CA', () => {
  const rows = cases.map(([constraints, names, accepted, subject]) => ({
    constraints,
    names,
    accepted,
    subject,
  }));
  it.each(rows)(
    '$constraints, $names $subject: $accepted',
    async ({ constraints, names, accepted, subject }) => {
      const made = await chain(constraints, names, subject);
      const verdict = await judge(made.presented, [made.root], { at: made.at });
      const expected = accepted ? { kind: 'accepted' } : { kind: 'refused', reason: 'name-constraints' };
      expect(verdict).toMatchObject(expected);
      // OpenSSL is of the same opinion.
      expect(made.openssl).toBe(accepted);
    },
  );
});
