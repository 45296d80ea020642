import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import {
  createCa,
  generateKeyPair,
  importKeyMaterial,
  issueFromRequest,
  keyFacts,
  opensshPrivateKey,
  parseAuthorizedKey,
  parseCertificate,
  parseCertificateRequest,
  parseSshCertificate,
  signSshCertificate,
  sshBlobOf,
  sshCertificateLine,
  sshPublicKeyLine,
  toPem,
} from '@sallyport/pki';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.ts';
import { must } from './tools.ts';

const notBefore = new Date(Date.now() - 3_600_000);
const notAfter = new Date(Date.now() + 86_400_000);
const types = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048'] as const;

describe.each(types)('an internal CA of %s', (keyType) => {
  const folder = temporaryFolder();
  const file = (name: string, content?: string): string => {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
    return path;
  };

  it('signs a request of OpenSSL, and OpenSSL and GnuTLS verify the chain', async () => {
    const ca = await createCa({ commonName: 'Authority', keyType, notBefore, notAfter });
    const subject = ['-subj', '/C=DE/CN=partner', '-keyout', file('key.pem'), '-out', file('request.pem')];
    await must('openssl', ['req', '-new', '-newkey', 'ed25519', '-nodes', ...subject]);
    const pem = await readFile(file('request.pem'), 'utf8');
    const der = Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    const request = unwrap(await parseCertificateRequest(der));
    const leaf = await issueFromRequest(request, ca, {
      subject: { commonName: 'whom we say' },
      sans: [{ type: 'dns', value: 'gate.example' }],
      purpose: 'tls-server',
      notBefore,
      notAfter,
    });
    const [caFile, leafFile] = [
      file('ca.pem', toPem('CERTIFICATE', ca.certificate)),
      file('leaf.pem', toPem('CERTIFICATE', leaf)),
    ];
    const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'gate.example'];
    expect(await must('openssl', [...verify, '-CAfile', caFile, leafFile])).toContain('OK');
    const chain = file('chain.pem', toPem('CERTIFICATE', leaf) + toPem('CERTIFICATE', ca.certificate));
    expect(
      await must('certtool', ['--verify', '--load-ca-certificate', caFile, '--infile', chain]),
    ).toContain('The certificate is trusted');
    const p12 = [
      'pkcs12',
      '-export',
      '-inkey',
      file('ca.key', toPem('PRIVATE KEY', ca.privateKey)),
      '-in',
      caFile,
    ];
    await must('openssl', [...p12, '-passout', 'pass:secret', '-out', file('ca.p12')]);
    const imported = unwrap(await importKeyMaterial(await readFile(file('ca.p12')), { password: 'secret' }));
    expect(imported).toMatchObject({ form: 'private-key', pkcs8: ca.privateKey, chain: [{ isCa: true }] });
  });

  it('signs OpenSSH certificates that ssh-keygen reads, and names itself as ssh-keygen does', async () => {
    const ca = await createCa({ commonName: 'Authority', keyType, notBefore, notAfter });
    const { spki } = unwrap(parseCertificate(ca.certificate));
    const own = file('ca.pub', `${sshPublicKeyLine(unwrap(sshBlobOf(spki)), 'ca')}\n`);
    expect(await must('ssh-keygen', ['-l', '-f', own])).toContain(unwrap(keyFacts(spki)).sshFingerprint);
    const holder = await generateKeyPair('ecdsa-p256');
    const line = sshPublicKeyLine(unwrap(sshBlobOf(holder.spki)), 'holder');
    const key = unwrap(parseAuthorizedKey(line)).blob;
    for (const kind of ['user', 'host'] as const) {
      const content = {
        kind,
        key,
        serial: 2n ** 63n,
        keyId: 'id',
        principals: ['a', 'b'],
        validAfter: notBefore,
      };
      const blob = await signSshCertificate(
        { privateKey: ca.privateKey, spki },
        { ...content, validBefore: notAfter },
      );
      const path = file(`${kind}-cert.pub`, `${sshCertificateLine(unwrap(parseSshCertificate(blob)))}\n`);
      const shown = await must('ssh-keygen', ['-L', '-f', path]);
      expect(shown).toContain(`${kind} certificate`);
      expect(shown).toContain(unwrap(keyFacts(spki)).sshFingerprint);
      expect(shown).toMatch(/Serial: 9223372036854775808\s/);
      expect(shown).toMatch(/Principals:\s+a\s+b\s/);
    }
    // And the other way round: ssh-keygen's own, by the CA's own key.
    const secret = file('ca', await opensshPrivateKey(ca.privateKey, 'ca'));
    await must('ssh-keygen', [
      '-q',
      '-s',
      secret,
      '-I',
      'theirs',
      '-n',
      'a',
      '-z',
      '5',
      file('holder.pub', `${line}\n`),
    ]);
    const theirs = await importKeyMaterial(utf8(await readFile(file('holder-cert.pub'), 'utf8')));
    expect(unwrap(theirs)).toMatchObject({
      form: 'ssh-certificate',
      certificate: { serial: 5n, principals: ['a'] },
    });
  });
});
