// Some releases of Node drop the intermediates that a TLS client sends, and with them every login by a certificate of an
// intermediate CA. The pinned Node must pass this; raise the pin only to one that does.
import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { connect, createServer, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { beforeAll, expect, test } from 'vitest';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

type Issued = {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
  readonly key: string;
};

/** A certificate of that name by that issuer, or by itself. */
async function issue(name: string, ca: boolean, issuer?: Issued): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(ca, undefined, true)],
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { certificate, keys, key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` };
}

let root: Issued;
let intermediate: Issued;
let leaf: Issued;

beforeAll(async () => {
  root = await issue('root', true);
  intermediate = await issue('intermediate', true, root);
  leaf = await issue('leaf', false, intermediate);
});

/** SHA-256 of each certificate that the server learns of a client that sends leaf and intermediate. */
async function chainSeenBy(version: 'TLSv1.2' | 'TLSv1.3'): Promise<string[]> {
  const server = createServer({
    key: leaf.key,
    cert: leaf.certificate.toString('pem'),
    ca: root.certificate.toString('pem'),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
  });
  const accepted = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const client = connect({
    host: '127.0.0.1',
    port: typeof address === 'object' && address ? address.port : 0,
    key: leaf.key,
    cert: `${leaf.certificate.toString('pem')}\n${intermediate.certificate.toString('pem')}`,
    rejectUnauthorized: false,
  });
  client.on('error', () => {});
  try {
    const socket = await accepted;
    socket.on('error', () => {});
    const chain: string[] = [];
    let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
    while (certificate?.raw && chain.length < 10) {
      chain.push(createHash('sha256').update(certificate.raw).digest('hex'));
      certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
    }
    socket.destroy();
    return chain;
  } finally {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a server learns the intermediates that a client sends over %s',
  async (version) => {
    const sent = [leaf, intermediate].map(({ certificate }) =>
      createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
    );
    expect((await chainSeenBy(version)).slice(0, 2)).toEqual(sent);
  },
);
