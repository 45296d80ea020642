import 'reflect-metadata';
import { Extension, KeyUsageFlags } from '@peculiar/x509';
import { type Bytes, toHex } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import { certify, now, type Party, party, type Wishes } from '../fixture/made-certificate.ts';
import {
  type ClientVerdict,
  type CredentialLookup,
  createCa,
  generateKeyPair,
  issueCertificate,
  parseCertificate,
  type Registration,
  trustAnchors,
  verifyClient,
} from './index.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';
const sshClient = '1.3.6.1.5.5.7.3.21';
const past = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2020-12-31T00:00:00Z') };
const future = { notBefore: new Date('2030-01-01T00:00:00Z'), notAfter: new Date('2030-12-31T00:00:00Z') };

/** A registration of a certificate on the account `acme`. */
const registered = (der: Bytes, more: Partial<Registration> = {}): Registration => ({
  account: 'acme',
  certificate: 'certificate-1',
  form: 'x509',
  match: 'certificate',
  anchor: 'path',
  sha256: unwrap(parseCertificate(der)).sha256,
  ...more,
});

const keyOf = (lookup: CredentialLookup): string => {
  if (lookup.by === 'certificate') return lookup.sha256;
  return lookup.by === 'public-key' ? lookup.spkiSha256 : `${toHex(lookup.issuer)} ${toHex(lookup.subject)}`;
};

/** The index of a zone: entries under what a registered certificate is looked up by. */
function index(entries: readonly { readonly der: Bytes; readonly entry: Registration }[]) {
  const rows = entries.map(({ der, entry }) => {
    const { sha256, key, issuerDer: issuer, subjectDer: subject } = unwrap(parseCertificate(der));
    const lookups: Record<Registration['match'], CredentialLookup> = {
      certificate: { by: 'certificate', sha256 },
      'public-key': { by: 'public-key', spkiSha256: key.spkiSha256 },
      'issuer+subject': { by: 'issuer+subject', issuer, subject },
    };
    return { key: keyOf(lookups[entry.match]), entry };
  });
  return async (lookup: CredentialLookup): Promise<readonly Registration[]> =>
    rows.filter(({ key }) => key === keyOf(lookup)).map(({ entry }) => entry);
}

/** Judges what was shown, with its leaf registered on `acme` unless other entries are named. */
const judge = (
  presented: readonly Bytes[],
  cas: readonly Bytes[],
  more: {
    readonly entries?: readonly { readonly der: Bytes; readonly entry: Registration }[];
    readonly revoked?: readonly Bytes[];
    readonly at?: Date;
  } = {},
): Promise<ClientVerdict> => {
  const [leaf] = presented;
  const entries = more.entries ?? (leaf ? [{ der: leaf, entry: registered(leaf) }] : []);
  const revoked = (more.revoked ?? []).map((der) => unwrap(parseCertificate(der)).sha256);
  return verifyClient({
    presented,
    cas,
    now: more.at ?? now,
    isRevoked: ({ sha256 }) => revoked.includes(sha256),
    registrations: index(entries),
  });
};

const refusedFor = (reason: string) => expect.objectContaining({ kind: 'refused', reason });
const acceptedFor = (...accounts: string[]) =>
  expect.objectContaining({
    kind: 'accepted',
    registrations: accounts.map((account) => expect.objectContaining({ account })),
  });

let root: Party;
let middle: Party;
let client: Party;
let rootDer: Bytes;
let middleDer: Bytes;
let leaf: Bytes;
beforeAll(async () => {
  [root, middle, client] = await Promise.all([party('Root'), party('Middle'), party('client')]);
  [rootDer, middleDer, leaf] = await Promise.all([
    certify(root, root, { ca: true }),
    certify(root, middle, { ca: true }),
    certify(middle, client, { purposes: [clientAuth] }),
  ]);
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

describe('registration', () => {
  const chain = (): readonly Bytes[] => [leaf, middleDer];
  const twin = (): Promise<Bytes> => certify(middle, client, { purposes: [clientAuth] });

  it('nobody', async () => {
    expect(await judge(chain(), [rootDer], { entries: [] })).toEqual(refusedFor('unregistered'));
  });

  it('several accounts', async () => {
    const entries = [
      { der: leaf, entry: registered(leaf) },
      { der: leaf, entry: registered(leaf, { account: 'beta', match: 'public-key' }) },
      { der: leaf, entry: registered(leaf, { account: 'gamma', match: 'issuer+subject' }) },
      { der: leaf, entry: registered(leaf, { account: 'delta', anchor: 'pinned' }) },
    ];
    const verdict = await judge(chain(), [rootDer], { entries });
    expect(verdict).toEqual(acceptedFor('acme', 'delta', 'beta', 'gamma'));
    // Without a path only the account that pinned it is left.
    const pinned = await judge(chain(), [], { entries });
    expect(pinned).toEqual(acceptedFor('delta'));
    expect(pinned.kind === 'accepted' && pinned.path.map(({ der }) => der)).toEqual([leaf]);
  });

  it.each([
    ['certificate', false],
    ['public-key', true],
    ['issuer+subject', true],
  ] as const)(
    'match %s: a renewed certificate of the same key and names counts: %s',
    async (match, counts) => {
      const entries = [{ der: await twin(), entry: registered(await twin(), { match }) }];
      expect(await judge(chain(), [rootDer], { entries })).toEqual(
        counts ? acceptedFor('acme') : refusedFor('unregistered'),
      );
    },
  );

  it('match public-key: a pinned key counts in any certificate, one with path needs a path', async () => {
    const own = await certify(client, client);
    const entry = registered(leaf, { match: 'public-key', anchor: 'pinned' });
    expect(await judge([own], [], { entries: [{ der: leaf, entry }] })).toEqual(acceptedFor('acme'));
    const pathEntry = registered(leaf, { match: 'public-key' });
    expect(await judge([own], [rootDer], { entries: [{ der: leaf, entry: pathEntry }] })).toEqual(
      refusedFor('untrusted'),
    );
  });

  it('issuer+subject cannot be pinned', async () => {
    const entry = registered(leaf, { match: 'issuer+subject', anchor: 'pinned' });
    expect(await judge(chain(), [rootDer], { entries: [{ der: leaf, entry }] })).toEqual(
      refusedFor('unregistered'),
    );
  });

  it('a trusted CA cannot take over the names of another one', async () => {
    const [partner, attacker] = await Promise.all([party('Partner CA'), party('Attacker CA')]);
    const impostor = await party('Partner CA');
    const [partnerDer, attackerDer, impostorDer, genuine, forged] = await Promise.all([
      certify(partner, partner, { ca: true }),
      certify(attacker, attacker, { ca: true }),
      certify(attacker, impostor, { ca: true }),
      certify(partner, client),
      certify(impostor, client),
    ]);
    const entries = [{ der: genuine, entry: registered(genuine, { match: 'issuer+subject' }) }];
    expect(await judge([genuine], [attackerDer, partnerDer], { entries })).toEqual(acceptedFor('acme'));
    expect(await judge([forged, impostorDer], [attackerDer, partnerDer], { entries })).toEqual(
      refusedFor('unregistered'),
    );
  });

  it.each([
    ['in the past', '2026-06-01T11:59:59Z', false],
    ['in the future', '2026-06-01T12:00:01Z', true],
    ['no time', 'soon', false],
  ])('validUntil %s', async (_, validUntil, counts) => {
    const entries = [{ der: leaf, entry: registered(leaf, { validUntil }) }];
    expect(await judge(chain(), [rootDer], { entries })).toEqual(
      counts ? acceptedFor('acme') : refusedFor('unregistered'),
    );
  });

  it('an SSH key’s registration is none for TLS', async () => {
    const entries = [
      { der: leaf, entry: registered(leaf, { form: 'ssh-key', match: 'public-key' }) },
      { der: leaf, entry: registered(leaf, { form: 'ssh-key', match: 'public-key', anchor: 'pinned' }) },
    ];
    expect(await judge(chain(), [rootDer], { entries })).toEqual(refusedFor('unregistered'));
  });

  it('an index that answers other entries than were asked for is not believed', async () => {
    const other = await certify(root, await party('other'));
    for (const anchor of ['path', 'pinned'] as const) {
      const verdict = await verifyClient({
        presented: [...chain()],
        cas: [rootDer],
        now,
        isRevoked: () => false,
        registrations: async (lookup) =>
          lookup.by === 'issuer+subject' ? [registered(leaf, { anchor })] : [registered(other, { anchor })],
      });
      expect(verdict).toEqual(refusedFor('unregistered'));
    }
  });

  it('a clock that tells no time', async () => {
    expect(await judge(chain(), [rootDer], { at: new Date(Number.NaN) })).toEqual(
      refusedFor('not-yet-valid'),
    );
  });
});

describe('garbage', () => {
  it('nothing shown', async () => {
    expect(await judge([], [rootDer])).toEqual(refusedFor('malformed'));
  });

  it('every truncation, in every place', async () => {
    const entries = [{ der: leaf, entry: registered(leaf) }];
    for (const length of leaf.keys()) {
      const cut = leaf.slice(0, length);
      expect(await judge([cut, middleDer], [rootDer], { entries })).toEqual(refusedFor('malformed'));
    }
    for (const length of middleDer.keys()) {
      const cut = middleDer.slice(0, length);
      expect(await judge([leaf, cut], [rootDer], { entries })).toEqual(refusedFor('malformed'));
      expect(await judge([leaf], [cut], { entries })).toEqual(refusedFor('untrusted'));
    }
  });

  it('every flipped byte of the leaf is refused', async () => {
    const entries = [{ der: leaf, entry: registered(leaf, { match: 'public-key' }) }];
    for (const at of leaf.keys()) {
      const changed = leaf.with(at, (leaf[at] as number) ^ (1 + (at % 255)));
      const verdict = await judge([changed, middleDer], [rootDer], { entries });
      expect(verdict.kind, `byte ${at}`).toBe('refused');
    }
  });

  it('random bytes', async () => {
    for (let round = 0; round < 500; round++) {
      const bytes = crypto.getRandomValues(new Uint8Array(round));
      if (round % 2) bytes[0] = 0x30;
      expect(await judge([bytes], [bytes], { entries: [] })).toEqual(refusedFor('malformed'));
    }
  });
});
