import 'reflect-metadata';
import { Extension, KeyUsageFlags } from '@peculiar/x509';
import type { Bytes } from '@sallyport/bytes';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  acceptedFor,
  clientAuth,
  future,
  judge,
  makeChain,
  past,
  refusedFor,
  registered,
  serverAuth,
  sshClient,
} from '../fixture/judged-client.ts';
import { certify, now, type Party, party, type Wishes } from '../fixture/made-certificate.ts';
import { createCa, generateKeyPair, issueCertificate } from './index.ts';

let root: Party;
let middle: Party;
let client: Party;
let rootDer: Bytes;
let middleDer: Bytes;
let leaf: Bytes;
beforeAll(async () => {
  ({ root, middle, client, rootDer, middleDer, leaf } = await makeChain());
});

describe('the leaf', () => {
  it.each<[string, Wishes, string | undefined]>([
    ['expired', { ...past }, 'expired'],
    ['not yet valid', { ...future }, 'not-yet-valid'],
    ['ends now', { notAfter: now }, undefined],
    ['ended a second ago', { notAfter: new Date(now.getTime() - 1_000) }, 'expired'],
    ['for servers alone', { purposes: [serverAuth] }, 'purpose'],
    ['for both', { purposes: [serverAuth, clientAuth] }, undefined],
    ['for anything', { purposes: ['2.5.29.37.0'] }, undefined],
    ['without purposes', {}, undefined],
    ['an SSH key’s wrapper', { purposes: [sshClient], criticalPurposes: true }, 'wrapper'],
    ['a wrapper that claims more', { purposes: [sshClient, clientAuth], criticalPurposes: true }, 'wrapper'],
    ['an SSH purpose that is not critical', { purposes: [sshClient] }, 'purpose'],
    ['SSH and client', { purposes: [sshClient, clientAuth] }, undefined],
    ['no digitalSignature', { keyUsage: KeyUsageFlags.keyEncipherment }, 'purpose'],
    ['without key usage', { keyUsage: 'none' }, undefined],
    [
      'an unknown critical extension',
      { more: [new Extension('1.2.3.4', true, Uint8Array.of(5, 0))] },
      'critical-extension',
    ],
  ])('%s', async (_, wishes, reason) => {
    const der = await certify(root, client, wishes);
    const expected = reason === undefined ? acceptedFor('acme') : refusedFor(reason);
    expect(await judge([der], [rootDer]), 'by path').toEqual(expected);
    const pinned = { der, entry: registered(der, { anchor: 'pinned' }) };
    expect(await judge([der], [], { entries: [pinned] }), 'pinned').toEqual(expected);
  });

  it('revoked, by path and pinned', async () => {
    expect(await judge([leaf, middleDer], [rootDer], { revoked: [leaf] })).toEqual(refusedFor('revoked'));
    const pinned = { der: leaf, entry: registered(leaf, { anchor: 'pinned' }) };
    expect(await judge([leaf], [], { entries: [pinned], revoked: [leaf] })).toEqual(refusedFor('revoked'));
  });

  it('signed with SHA-1', async () => {
    const ca = await party('Old', 'rsa');
    const caDer = await certify(ca, ca, { ca: true });
    const good = await certify(ca, client);
    const weak = await certify(ca, client, { hash: 'SHA-1' });
    expect(await judge([good], [caDer])).toEqual(acceptedFor('acme'));
    expect(await judge([weak], [caDer])).toEqual(refusedFor('signature-algorithm'));
    const weakMiddle = await certify(ca, middle, { ca: true, hash: 'SHA-1' });
    expect(await judge([leaf, weakMiddle], [caDer])).toEqual(refusedFor('signature-algorithm'));
    // An anchor is believed for being listed, not for its signature.
    const weakAnchor = await certify(ca, ca, { ca: true, hash: 'SHA-1' });
    expect(await judge([good], [weakAnchor])).toEqual(acceptedFor('acme'));
  });

  it('a wrapper that the product itself made, with its issuer listed as a CA', async () => {
    const validity = {
      notBefore: new Date('2026-01-01T00:00:00Z'),
      notAfter: new Date('2027-01-01T00:00:00Z'),
    };
    const issuer = await createCa({ commonName: 'Wrapping issuer', keyType: 'ed25519', ...validity });
    const { spki } = await generateKeyPair('ed25519');
    const subject = { commonName: 'acme' };
    for (const purpose of ['ssh-client', 'ssh-server'] as const) {
      const der = await issueCertificate({ issuer, spki, subject, sans: [], purpose, ...validity });
      expect(await judge([der], [issuer.certificate])).toEqual(refusedFor('wrapper'));
    }
    const server = {
      issuer,
      spki,
      subject,
      sans: [{ type: 'dns', value: 'a.example' }],
      ...validity,
    } as const;
    const serverDer = await issueCertificate({ ...server, purpose: 'tls-server' });
    expect(await judge([serverDer], [issuer.certificate])).toEqual(refusedFor('purpose'));
    const clientDer = await issueCertificate({ ...server, sans: [], purpose: 'tls-client' });
    expect(await judge([clientDer], [issuer.certificate])).toEqual(acceptedFor('acme'));
  });
});
