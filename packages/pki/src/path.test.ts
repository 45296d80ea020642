import 'reflect-metadata';
import { Extension, KeyUsageFlags } from '@peculiar/x509';
import type { Bytes } from '@sallyport/bytes';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  acceptedFor,
  clientAuth,
  future,
  index,
  judge,
  makeChain,
  past,
  refusedFor,
  registered,
  serverAuth,
} from '../fixture/judged-client.ts';
import { certify, now, type Party, party, type Wishes } from '../fixture/made-certificate.ts';
import { trustAnchors, verifyClient } from './index.ts';

let root: Party;
let middle: Party;
let client: Party;
let rootDer: Bytes;
let middleDer: Bytes;
let leaf: Bytes;
beforeAll(async () => {
  ({ root, middle, client, rootDer, middleDer, leaf } = await makeChain());
});

describe('paths', () => {
  it('leaf, intermediate, anchor', async () => {
    const verdict = await judge([leaf, middleDer], [rootDer]);
    expect(verdict).toEqual(acceptedFor('acme'));
    expect(verdict.kind === 'accepted' && verdict.path.map(({ der }) => der)).toEqual([
      leaf,
      middleDer,
      rootDer,
    ]);
  });

  it('in any order, with the root and strangers among them', async () => {
    const stranger = await party('Stranger');
    const strangerDer = await certify(stranger, stranger, { ca: true });
    expect(await judge([leaf, strangerDer, rootDer, middleDer, middleDer], [rootDer])).toEqual(
      acceptedFor('acme'),
    );
  });

  it('a trusted intermediate is an anchor by itself', async () => {
    expect(await judge([leaf], [middleDer])).toEqual(acceptedFor('acme'));
  });

  it('anchors that were read once', async () => {
    const verdict = await verifyClient({
      presented: [leaf],
      cas: trustAnchors([Uint8Array.of(1, 2, 3), middleDer]),
      now,
      isRevoked: () => false,
      registrations: index([{ der: leaf, entry: registered(leaf) }]),
    });
    expect(verdict).toEqual(acceptedFor('acme'));
  });

  it.each(['ed25519', 'rsa'] as const)('signed with %s', async (algorithm) => {
    const ca = await party('Other', algorithm);
    const der = await certify(ca, client);
    expect(await judge([der], [await certify(ca, ca, { ca: true })])).toEqual(acceptedFor('acme'));
  });

  it('a missing intermediate', async () => {
    expect(await judge([leaf], [rootDer])).toEqual(refusedFor('untrusted'));
  });

  it('no CA at all', async () => {
    expect(await judge([leaf, middleDer, rootDer], [])).toEqual(refusedFor('untrusted'));
  });

  it('a self-signed certificate is no path to itself, even where it is listed as a CA', async () => {
    const own = await certify(client, client);
    expect(await judge([own], [own])).toEqual(refusedFor('untrusted'));
  });

  it.each([false, true])(
    'two CAs of one name are both tried (without key ids: %s)',
    async (withoutKeyIds) => {
      const [one, other] = await Promise.all([party('Twin'), party('Twin')]);
      const cas = await Promise.all([one, other].map((ca) => certify(ca, ca, { ca: true, withoutKeyIds })));
      for (const ca of [one, other]) {
        const der = await certify(ca, client, { withoutKeyIds });
        expect(await judge([der], cas)).toEqual(acceptedFor('acme'));
        expect(await judge([der], cas.toReversed())).toEqual(acceptedFor('acme'));
      }
    },
  );

  it('a forger of the CA’s name and key id', async () => {
    const forger = { ...(await party('Root')), keyId: root.keyId };
    const der = await certify(forger, client);
    const forgerDer = await certify(forger, forger, { ca: true });
    expect(await judge([der, forgerDer], [rootDer])).toEqual(refusedFor('untrusted'));
  });

  it('a cross-signed CA, by either of its certificates', async () => {
    const other = await party('Other root');
    const [otherDer, cross] = await Promise.all([
      certify(other, other, { ca: true }),
      certify(other, middle, { ca: true }),
    ]);
    expect(await judge([leaf, middleDer, cross], [otherDer])).toEqual(acceptedFor('acme'));
    expect(await judge([leaf, cross, middleDer], [rootDer])).toEqual(acceptedFor('acme'));
    // The shorter way is barred; the other one is found.
    expect(await judge([leaf, cross, middleDer], [rootDer, otherDer], { revoked: [cross] })).toEqual(
      acceptedFor('acme'),
    );
    expect(await judge([leaf, middleDer], [otherDer])).toEqual(refusedFor('untrusted'));
  });

  it('a newer certificate of a CA whose old one has expired', async () => {
    const old = await certify(root, root, { ca: true, ...past });
    expect(await judge([leaf, middleDer], [old, rootDer])).toEqual(acceptedFor('acme'));
  });

  it('CAs that sign each other in a circle', async () => {
    const [one, other] = await Promise.all([party('One'), party('Other')]);
    const [der, ...circle] = await Promise.all([
      certify(one, client),
      certify(other, one, { ca: true }),
      certify(one, other, { ca: true }),
    ]);
    expect(await judge([der, ...circle], [rootDer])).toEqual(refusedFor('untrusted'));
  });

  it('at most eight certificates', async () => {
    const cas = await Promise.all(Array.from({ length: 8 }, (_, i) => party(`CA ${i}`)));
    const chain = await Promise.all(
      cas.map((ca, i) => certify(cas[i + 1] ?? ca, ca, { ca: true, pathLength: 9 })),
    );
    const der = await certify(cas[0] as Party, client);
    const eighth = chain[6] as Bytes;
    expect(await judge([der, ...chain.slice(0, 6)], [eighth])).toEqual(acceptedFor('acme'));
    expect(await judge([der, ...chain.slice(0, 7)], [chain[7] as Bytes])).toEqual(
      refusedFor('path-too-complex'),
    );
  });

  it('at most 64 signatures', async () => {
    const twins = await Promise.all(Array.from({ length: 80 }, () => party('Twin')));
    const cas = await Promise.all(twins.map((ca) => certify(ca, ca, { ca: true, withoutKeyIds: true })));
    const der = await certify(twins.at(-1) as Party, client, { withoutKeyIds: true });
    expect(await judge([der], cas)).toEqual(refusedFor('path-too-complex'));
    expect(await judge([der], cas.slice(-60))).toEqual(acceptedFor('acme'));
  });

  it('at most ten certificates shown', async () => {
    expect(await judge([leaf, ...Array<Bytes>(9).fill(middleDer)], [rootDer])).toEqual(acceptedFor('acme'));
    expect(await judge([leaf, ...Array<Bytes>(10).fill(middleDer)], [rootDer])).toEqual(
      refusedFor('too-many-certificates'),
    );
  });
});

describe('the CA of a path', () => {
  const extension = (oid: string, hex: string): Extension =>
    new Extension(
      oid,
      true,
      Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
    );
  const critical = (oid: string): Extension => new Extension(oid, true, Uint8Array.of(5, 0));
  it.each<[string, Wishes, string | undefined]>([
    ['expired', { ...past }, 'expired'],
    ['not yet valid', { ...future }, 'not-yet-valid'],
    ['no CA', { ca: false }, 'purpose'],
    ['no keyCertSign', { keyUsage: KeyUsageFlags.digitalSignature }, 'purpose'],
    ['no key usage', { keyUsage: 'none' }, undefined],
    ['for servers alone', { purposes: [serverAuth] }, 'purpose'],
    ['for clients too', { purposes: [serverAuth, clientAuth] }, undefined],
    ['an unknown critical extension', { more: [critical('1.2.3.4')] }, 'critical-extension'],
    ['an unknown extension', { more: [new Extension('1.2.3.4', false, Uint8Array.of(5, 0))] }, undefined],
    ['policies', { more: [extension('2.5.29.32', '300830060604551d2000')] }, undefined],
    ['mapped policies', { more: [extension('2.5.29.33', '300e300c06042a03040506042a030406')] }, undefined],
    ['a bar to any policy', { more: [extension('2.5.29.54', '020100')] }, undefined],
    ['a demand for a policy', { more: [extension('2.5.29.36', '3003800100')] }, 'critical-extension'],
    ['name constraints', { more: [critical('2.5.29.30')] }, 'critical-extension'],
    [
      'name constraints that are not critical',
      { more: [new Extension('2.5.29.30', false, Uint8Array.of(0x30, 0))] },
      'critical-extension',
    ],
  ])('%s', async (_, wishes, reason) => {
    const expected = reason === undefined ? acceptedFor('acme') : refusedFor(reason);
    const intermediate = await certify(root, middle, { ca: true, ...wishes });
    expect(await judge([leaf, intermediate], [rootDer]), 'intermediate').toEqual(expected);
    const anchor = await certify(root, root, { ca: true, ...wishes });
    expect(await judge([leaf, middleDer], [anchor]), 'anchor').toEqual(expected);
  });

  it('revoked', async () => {
    for (const revoked of [middleDer, rootDer]) {
      expect(await judge([leaf, middleDer], [rootDer], { revoked: [revoked] })).toEqual(
        refusedFor('revoked'),
      );
    }
  });

  it('path length: intermediates count, the leaf and self-issued ones do not', async () => {
    const narrow = await certify(root, root, { ca: true, pathLength: 0 });
    expect(await judge([await certify(root, client)], [narrow])).toEqual(acceptedFor('acme'));
    expect(await judge([leaf, middleDer], [narrow])).toEqual(refusedFor('path-length'));
    expect(await judge([leaf, middleDer], [await certify(root, root, { ca: true, pathLength: 1 })])).toEqual(
      acceptedFor('acme'),
    );
    const next = await party('Root');
    const nextDer = await certify(root, next, { ca: true });
    expect(await judge([await certify(next, client), nextDer], [narrow])).toEqual(acceptedFor('acme'));
  });

  it('a leaf that signs another leaf', async () => {
    const other = await party('other client');
    const der = await certify(client, other);
    expect(await judge([der, leaf, middleDer], [rootDer])).toEqual(refusedFor('purpose'));
  });
});
