import { unwrap } from '@sallyport/faults';
import { expect, test } from 'vitest';
import { parseCertificate } from './certificate.ts';
import { createCa, issueCertificate } from './issue.ts';
import { issuedBy } from './issued-by.ts';
import { generateKeyPair } from './key-pair.ts';

const validity = { notBefore: new Date('2026-01-01'), notAfter: new Date('2027-01-01') };

test('of two CAs of one name the one that signed is told, with and without key identifiers', async () => {
  const make = () => createCa({ commonName: 'one name', keyType: 'ecdsa-p256', ...validity });
  const [signer, namesake] = [await make(), await make()];
  const { spki } = await generateKeyPair('ed25519');
  const der = await issueCertificate({
    issuer: signer,
    spki,
    subject: { commonName: 'leaf' },
    sans: [],
    purpose: 'tls-client',
    ...validity,
  });
  const leaf = unwrap(parseCertificate(der));
  const { authorityKeyId: _id, ...unnamed } = leaf;
  const [one, other] = [
    unwrap(parseCertificate(signer.certificate)),
    unwrap(parseCertificate(namesake.certificate)),
  ];
  for (const certificate of [leaf, unnamed]) {
    expect(await issuedBy(certificate, one)).toBe(true);
    expect(await issuedBy(certificate, other)).toBe(false);
  }
  expect(await issuedBy({ ...leaf, signatureAlgorithm: { kind: 'unsupported', oid: '1.2.3' } }, one)).toBe(
    false,
  );
});
