import { createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { copyOf, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { modernPolicy } from '@sallyport/model';
import { generateKeyPair, signSshCertificate, sshBlobOf } from '@sallyport/pki';
import { expect, test } from 'vitest';
import { readClientCertificate } from './client-certificate.ts';
import { sshField } from './wire.ts';

const accepted = modernPolicy.ssh.clientKeys;
const data = utf8('the session and the request');

async function certificateOf(publicKey: KeyObject): Promise<Uint8Array> {
  const key = unwrap(sshBlobOf(copyOf(publicKey.export({ type: 'spki', format: 'der' }))));
  return signSshCertificate(await generateKeyPair('ed25519'), {
    kind: 'user',
    key,
    serial: 1n,
    keyId: 'one',
    principals: ['one'],
    validAfter: new Date(0),
  });
}

const blobOf = (name: string, signature: Uint8Array) => Buffer.concat([sshField(name), sshField(signature)]);

test('a signature by the certified key, of the algorithm that was named, and of nothing else', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const blob = await certificateOf(publicKey);
  const read = readClientCertificate({ type: 'ssh-ed25519-cert-v01@openssh.com', blob }, accepted);
  const signature = sign(null, data, privateKey);
  expect(read).toMatchObject({ algorithm: 'ssh-ed25519-cert-v01@openssh.com', certificate: { serial: 1n } });
  expect(read?.verify(data, blobOf('ssh-ed25519', signature))).toBe(true);
  expect(read?.verify(utf8('another session'), blobOf('ssh-ed25519', signature))).toBe(false);
  for (const bad of [
    signature,
    blobOf('ssh-ed25519-cert-v01@openssh.com', signature),
    blobOf('ssh-rsa', signature),
    blobOf('ssh-ed25519', signature.subarray(1)),
    Buffer.concat([blobOf('ssh-ed25519', signature), sshField('')]),
    new Uint8Array(3),
  ])
    expect(read?.verify(data, bad)).toBe(false);
});

test('RSA by the hash that was named, SHA-1 only where the policy takes it', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const blob = await certificateOf(publicKey);
  const read = (type: string, policy: readonly string[] = accepted) =>
    readClientCertificate({ type: `${type}-cert-v01@openssh.com`, blob }, policy);
  const by = (hash: string) => createSign(hash).update(data).sign(privateKey);
  const sha512 = read('rsa-sha2-512');
  expect(sha512?.verify(data, blobOf('rsa-sha2-512', by('sha512')))).toBe(true);
  expect(sha512?.verify(data, blobOf('rsa-sha2-256', by('sha256')))).toBe(false);
  expect(sha512?.verify(data, blobOf('ssh-rsa', by('sha1')))).toBe(false);
  expect(read('ssh-rsa')).toBeUndefined();
  expect(read('ssh-rsa', [...accepted, 'ssh-rsa'])?.verify(data, blobOf('ssh-rsa', by('sha1')))).toBe(true);
});

test.each([
  ['another key type than it is named with', 'ecdsa-sha2-nistp256-cert-v01@openssh.com'],
  ['a name that is no certificate', 'ssh-ed25519'],
  ['a security key', 'sk-ssh-ed25519-cert-v01@openssh.com'],
])('refuses %s', async (_, type) => {
  const { publicKey } = generateKeyPairSync('ed25519');
  expect(readClientCertificate({ type, blob: await certificateOf(publicKey) }, accepted)).toBeUndefined();
});

test('refuses bytes cut anywhere', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const blob = await certificateOf(publicKey);
  const type = 'ecdsa-sha2-nistp256-cert-v01@openssh.com';
  expect(readClientCertificate({ type, blob }, accepted)).toBeDefined();
  for (let length = 0; length < blob.length; length++) {
    expect(readClientCertificate({ type, blob: blob.subarray(0, length) }, accepted)).toBeUndefined();
  }
});
