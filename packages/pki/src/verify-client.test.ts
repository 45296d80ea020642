import 'reflect-metadata';
import type { Bytes } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  acceptedFor,
  clientAuth,
  judge,
  makeChain,
  refusedFor,
  registered,
} from '../fixture/judged-client.ts';
import { certify, now, type Party, party } from '../fixture/made-certificate.ts';
import { parseCertificate, verifyClient } from './index.ts';

let root: Party;
let middle: Party;
let client: Party;
let rootDer: Bytes;
let middleDer: Bytes;
let leaf: Bytes;
beforeAll(async () => {
  ({ root, middle, client, rootDer, middleDer, leaf } = await makeChain());
});

describe('an RSA key of 1024 bits', () => {
  it.each([
    ['certificate', 'pinned', true],
    ['public-key', 'path', true],
    ['issuer+subject', 'path', false],
  ] as const)('registered by %s, %s: counts: %s', async (match, anchor, counts) => {
    const weak = await party('weak', 'rsa-1024');
    const der = await certify(middle, weak, { purposes: [clientAuth] });
    const { sha256 } = unwrap(parseCertificate(der, 1_024));
    const verdict = await verifyClient({
      presented: [der, middleDer],
      cas: [rootDer],
      now,
      isRevoked: () => false,
      registrations: async ({ by }) => (by === match ? [{ ...registered(leaf), match, anchor, sha256 }] : []),
    });
    expect(verdict).toEqual(counts ? acceptedFor('acme') : refusedFor('unregistered'));
  });

  it('makes no CA', async () => {
    const weak = await party('Weak', 'rsa-1024');
    const ca = await certify(root, weak, { ca: true });
    const below = await certify(weak, client, { purposes: [clientAuth] });
    expect(await judge([below, ca], [rootDer])).toMatchObject({ kind: 'refused' });
    expect(await judge([below], [ca])).toMatchObject({ kind: 'refused' });
  });
});

describe('registration', () => {
  const chain = (): readonly Bytes[] => [leaf, middleDer];
  /** What stands with a registration by name whose intermediate came along. */
  const below = async () => ({
    match: 'issuer+subject' as const,
    issuerSpkiSha256: unwrap(parseCertificate(middleDer)).key.spkiSha256,
  });
  const twin = (): Promise<Bytes> => certify(middle, client, { purposes: [clientAuth] });

  it('nobody', async () => {
    expect(await judge(chain(), [rootDer], { entries: [] })).toEqual(refusedFor('unregistered'));
  });

  it('several accounts', async () => {
    const entries = [
      { der: leaf, entry: registered(leaf) },
      { der: leaf, entry: registered(leaf, { account: 'beta', match: 'public-key' }) },
      { der: leaf, entry: registered(leaf, { account: 'gamma', ...(await below()) }) },
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
      const entries = [{ der: await twin(), entry: registered(await twin(), { ...(await below()), match }) }];
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

  it('nor those below an intermediate of another one, which is known by its key', async () => {
    const [attacker, impostor] = [await party('Attacker CA'), await party('Middle')];
    const [attackerDer, impostorDer, forged] = await Promise.all([
      certify(attacker, attacker, { ca: true }),
      certify(attacker, impostor, { ca: true }),
      certify(impostor, client),
    ]);
    const entries = [{ der: leaf, entry: registered(leaf, await below()) }];
    expect(await judge(chain(), [rootDer, attackerDer], { entries })).toEqual(acceptedFor('acme'));
    expect(await judge([forged, impostorDer], [rootDer, attackerDer], { entries })).toEqual(
      refusedFor('unregistered'),
    );
    // Where the intermediate is not known, no name below one logs in.
    const alone = [{ der: leaf, entry: registered(leaf, { match: 'issuer+subject' }) }];
    expect(await judge(chain(), [rootDer], { entries: alone })).toEqual(refusedFor('unregistered'));
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
