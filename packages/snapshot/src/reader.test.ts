import { type Bytes, concat, fromUtf8, sha256Hex, toBase64, utf8 } from '@sallyport/bytes';
import { type Result, unwrap } from '@sallyport/faults';
import { defaultLoginSettings, modernPolicy } from '@sallyport/model';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { makeLocal } from '../fixture/local-certificate.ts';
import {
  contentWith,
  type Machine,
  type MemoryBlobs,
  makeAccount,
  makeMachine,
  makeRegistered,
  makeServer,
  makeTrust,
  memoryBlobs,
  nodeOf,
  policyDocuments,
  publishWorld,
  randomBytes,
  type Trust,
} from '../fixture/world.ts';
import type { LocalCertificate, ZoneContent } from './compile.ts';
import {
  type BlobRef,
  type ManifestDocument,
  maxSectionBytes,
  type SectionName,
  sectionNames,
} from './documents.ts';
import { nodeIndexKey } from './index-key.ts';
import { type FetchBlob, openSnapshot, type SnapshotReader } from './reader.ts';
import { sectionCipher } from './section-cipher.ts';
import { buildTree, refOf } from './tree.ts';

const zone = 'zon-edge';
const contentKey = randomBytes(32);

let trust: Trust;
let local: LocalCertificate;
let machine: Machine;
let other: Machine;
let content: ZoneContent;
let blobs: MemoryBlobs;
let manifest: ManifestDocument;

beforeAll(async () => {
  [trust, local, machine, other] = await Promise.all([
    makeTrust(),
    makeLocal('crt-ssh'),
    makeMachine('nod-1'),
    makeMachine('nod-2'),
  ]);
  content = contentWith({
    servers: [makeServer('ssh', 'srv-ssh', ['crt-ssh'])],
    locals: [local],
    accounts: [
      makeAccount('acc-alice', 'Alice', { groups: ['partners'], passwordHash: 'phc' }),
      makeAccount('acc-jose', 'jose\u0301'),
    ],
    registered: [
      makeRegistered('acc-alice', 'crt-by-digest', { validUntil: '2026-12-01T00:00:00Z' }),
      makeRegistered('acc-alice', 'crt-by-key', { match: 'public-key', form: 'ssh-key' }),
      makeRegistered('acc-alice', 'crt-by-name', { match: 'issuer+subject' }),
      makeRegistered('acc-jose', 'crt-by-name-too', {
        match: 'issuer+subject',
        subject: utf8('subject of crt-by-name'),
      }),
    ],
    cas: [{ id: 'crt-ca', der: utf8('ca'), advertise: true }],
    sshCas: [{ id: 'crt-ca', key: utf8('key'), trustedUntil: '2030-01-01T00:00:00Z' }],
    revokedSshCertificates: [{ caFingerprint: 'SHA256:ca', serial: '7' }],
    revoked: [{ sha256: sha256Hex(utf8('a')), spkiSha256: sha256Hex(utf8('b')), at: '2026-01-01T00:00:00Z' }],
    nodes: [
      nodeOf(machine, [{ server: 'srv-ssh', port: 2_022 }]),
      nodeOf(other, [{ server: 'srv-ssh', run: false }]),
    ],
  });
  blobs = memoryBlobs();
  manifest = (await publishWorld({ trust, content, blobs, contentKey })).document;
});

const self = (of: Machine = machine) => ({
  node: of.node,
  nodeKey: nodeIndexKey(of.node),
  sealingPrivateKey: of.sealingPrivateKey,
});
const open = (
  changes: { manifest?: ManifestDocument; self?: ReturnType<typeof self>; fetch?: FetchBlob } = {},
) => openSnapshot(changes.manifest ?? manifest, changes.self ?? self(), changes.fetch ?? blobs.fetch);
const codeOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);

/** The manifest with one section replaced by these stored bytes. */
function withSection(name: SectionName, bytes: Bytes, ref: BlobRef = refOf(bytes)) {
  const changed = { ...manifest, sections: { ...manifest.sections, [name]: ref } };
  const fetch: FetchBlob = async (wanted) => (wanted.digest === ref.digest ? bytes : blobs.fetch(wanted));
  return { manifest: changed, fetch };
}

/** As `withSection`, encrypted as the control plane would. */
async function withPlaintext(name: SectionName, plaintext: string, epoch = 1, section = name) {
  const cipher = await sectionCipher(zone, epoch, contentKey);
  return withSection(name, await cipher.encrypt(section, utf8(plaintext), randomBytes(12)));
}

describe('a good snapshot', () => {
  let reader: SnapshotReader;
  beforeAll(async () => {
    reader = unwrap(await open());
  });

  it('gives every section as it was compiled', () => {
    expect(reader.servers).toEqual([
      {
        server: content.servers[0],
        algorithms: { ssh: modernPolicy.ssh, tls: modernPolicy.tls },
        served: [
          { id: 'crt-ssh', form: 'x509', key: local.key, chain: local.chain.map((der) => toBase64(der)) },
        ],
      },
    ]);
    expect(reader.policy).toEqual({ ...policyDocuments, onInvalidCertificate: 'allow-password' });
    expect(reader.trust).toEqual({
      cas: [{ id: 'crt-ca', der: toBase64(utf8('ca')), advertise: true }],
      sshCas: [{ id: 'crt-ca', key: toBase64(utf8('key')), trustedUntil: '2030-01-01T00:00:00Z' }],
    });
    expect(reader.revocation.revoked).toEqual(content.revoked);
  });

  it('gives the node its own envelope', async () => {
    expect(reader.envelope).toEqual({
      overrides: [{ server: 'srv-ssh', port: 2_022 }],
      contentKey: toBase64(contentKey),
      privateKeys: [{ certificate: 'crt-ssh', pkcs8: toBase64(local.privateKey as Bytes) }],
    });
    const second = unwrap(await open({ self: self(other) }));
    expect(second.envelope.overrides).toEqual([{ server: 'srv-ssh', run: false }]);
    expect(second.envelope.privateKeys).toEqual([]);
  });

  test.each([
    ['Alice', 'acc-alice'],
    ['alice', 'acc-alice'],
    ['ALICE', 'acc-alice'],
    ['jos\u00e9', 'acc-jose'],
    ['JOSE\u0301', 'acc-jose'],
    ['bob', undefined],
    ['', undefined],
    ['alice ', undefined],
    ['alice\0', undefined],
    ['__proto__', undefined],
    ['x'.repeat(100_000), undefined],
  ])('finds the account of %.20j', async (name, account) => {
    expect(unwrap(await reader.account(name))?.id).toBe(account);
  });

  it('gives an account with its credentials and nothing of others', async () => {
    const alice = unwrap(await reader.account('alice'));
    expect(alice).toEqual({
      ...content.accounts[0],
      credentials: [
        {
          certificate: 'crt-by-digest',
          form: 'x509',
          match: 'certificate',
          anchor: 'path',
          sha256: sha256Hex(utf8('crt-by-digest')),
          spkiSha256: sha256Hex(utf8('key of crt-by-digest')),
          validUntil: '2026-12-01T00:00:00Z',
        },
        expect.objectContaining({ certificate: 'crt-by-key' }),
        expect.objectContaining({ certificate: 'crt-by-name' }),
      ],
    });
  });

  it('finds registrations by what each is matched by, and by nothing else', async () => {
    const found = async (key: Parameters<SnapshotReader['registrations']>[0]) =>
      unwrap(await reader.registrations(key)).map(({ certificate }) => certificate);
    const digest = (name: string) => sha256Hex(utf8(name));
    expect(await found({ by: 'certificate', sha256: digest('crt-by-digest') })).toEqual(['crt-by-digest']);
    expect(await found({ by: 'public-key', spkiSha256: digest('key of crt-by-key') })).toEqual([
      'crt-by-key',
    ]);
    const named = { by: 'issuer+subject', issuer: utf8('issuer') } as const;
    // One credential on two accounts: both are told, in their order.
    expect(await found({ ...named, subject: utf8('subject of crt-by-name') })).toEqual([
      'crt-by-name',
      'crt-by-name-too',
    ]);
    expect(await found({ by: 'certificate', sha256: digest('crt-by-key') })).toEqual([]);
    expect(await found({ by: 'public-key', spkiSha256: digest('key of crt-by-digest') })).toEqual([]);
    expect(await found({ by: 'public-key', spkiSha256: digest('crt-by-digest') })).toEqual([]);
    // Where one name ends and the other begins is part of the key.
    expect(
      await found({ by: 'issuer+subject', issuer: utf8('issuers'), subject: utf8('ubject of crt-by-name') }),
    ).toEqual([]);
  });

  it('has asked for all that it needs when it is open', async () => {
    const cached = new Map<string, Bytes>();
    const opened = unwrap(
      await open({
        fetch: async (ref) => {
          const bytes = await blobs.fetch(ref);
          if (bytes) cached.set(ref.digest, bytes);
          return bytes;
        },
      }),
    );
    const again = unwrap(await open({ fetch: async (ref) => cached.get(ref.digest) }));
    expect(unwrap(await again.account('alice'))).toEqual(unwrap(await opened.account('alice')));
  });

  it('compares names as the zone does', async () => {
    const exact = { ...defaultLoginSettings, nameCase: 'exact' as const };
    const mine = memoryBlobs();
    const { document } = await publishWorld({
      trust,
      content: { ...content, policy: { ...policyDocuments, loginSettings: exact } },
      blobs: mine,
      contentKey,
    });
    const opened = unwrap(await open({ manifest: document, fetch: mine.fetch }));
    expect(unwrap(await opened.account('Alice'))?.id).toBe('acc-alice');
    expect(unwrap(await opened.account('alice'))).toBeUndefined();
  });
});

describe.each(sectionNames)('section %s', (name) => {
  it('is missing', async () => {
    const { digest } = manifest.sections[name];
    const fetch: FetchBlob = async (ref) => (ref.digest === digest ? undefined : blobs.fetch(ref));
    expect(codeOf(await open({ fetch }))).toBe('section-missing');
  });

  it('is oversized: it is not even fetched', async () => {
    const size = maxSectionBytes[name] + 1;
    const ref = { digest: sha256Hex(utf8('large')), size };
    const fetched: string[] = [];
    const { manifest: changed } = withSection(name, utf8('large'), ref);
    const fetch: FetchBlob = async (wanted) => {
      fetched.push(wanted.digest);
      return blobs.fetch(wanted);
    };
    expect(codeOf(await open({ manifest: changed, fetch }))).toBe('section-oversize');
    expect(fetched).not.toContain(ref.digest);
  });

  it('has another digest: one byte is changed, cut off or added', async () => {
    const ref = manifest.sections[name];
    const good = (await blobs.fetch(ref)) as Bytes;
    const flipped = good.slice();
    flipped[good.length - 1] = (flipped[good.length - 1] as number) ^ 1;
    for (const bytes of [flipped, good.slice(0, -1), concat(good, utf8('x')), new Uint8Array()]) {
      const fetch: FetchBlob = async (wanted) => (wanted.digest === ref.digest ? bytes : blobs.fetch(wanted));
      expect(codeOf(await open({ fetch }))).toBe('section-digest');
    }
  });
});

describe.each(['servers', 'policy', 'trust', 'revocation', 'accounts', 'credentials'] as const)(
  'encrypted section %s',
  (name) => {
    const good = async () => {
      const cipher = await sectionCipher(zone, 1, contentKey);
      const stored = (await blobs.fetch(manifest.sections[name])) as Bytes;
      return fromUtf8(unwrap(await cipher.decrypt(name, stored)));
    };

    it('is opened where all is as it was', async () => {
      expect(codeOf(await open(await withPlaintext(name, await good())))).toBe('ok');
    });

    it('of another key epoch does not decrypt', async () => {
      expect(codeOf(await open(await withPlaintext(name, await good(), 2)))).toBe('section-undecryptable');
    });

    it('that was encrypted as another section does not decrypt', async () => {
      const elsewhere = name === 'servers' ? 'policy' : 'servers';
      expect(codeOf(await open(await withPlaintext(name, await good(), 1, elsewhere)))).toBe(
        'section-undecryptable',
      );
    });

    it('of another zone or under another key does not decrypt', async () => {
      for (const cipher of [
        await sectionCipher('zon-internal', 1, contentKey),
        await sectionCipher(zone, 1, randomBytes(32)),
      ]) {
        const stored = await cipher.encrypt(name, utf8(await good()), randomBytes(12));
        expect(codeOf(await open(withSection(name, stored)))).toBe('section-undecryptable');
      }
    });

    test.each([1, 11, 12, 27])('of %i bytes does not decrypt', async (length) => {
      expect(codeOf(await open(withSection(name, randomBytes(length))))).toBe('section-undecryptable');
    });

    test.each(['', '{', 'null', '[]', '{"more":1}', '\u0000'])('that says %j is malformed', async (text) => {
      expect(codeOf(await open(await withPlaintext(name, text)))).toBe('section-malformed');
    });

    it('with a member more is malformed', async () => {
      const text = (await good()).replace(/^\{/, '{"more":1,');
      expect(codeOf(await open(await withPlaintext(name, text)))).toBe('section-malformed');
    });
  },
);

describe('tree entries', () => {
  /** The manifest with a tree of these entries. */
  async function withTree(name: 'accounts' | 'credentials', entries: ReadonlyMap<string, unknown>) {
    const cipher = await sectionCipher(zone, 1, contentKey);
    const stored = new Map<string, Bytes>();
    const root = await buildTree(entries, async (plaintext) => {
      const bytes = await cipher.encrypt(name, plaintext, randomBytes(12));
      stored.set(refOf(bytes).digest, bytes);
      return refOf(bytes);
    });
    return {
      manifest: { ...manifest, sections: { ...manifest.sections, [name]: root } },
      fetch: (async (ref) => stored.get(ref.digest) ?? (await blobs.fetch(ref))) satisfies FetchBlob,
      stored,
    };
  }
  const key = sha256Hex(utf8('x'));

  test.each([
    ['accounts', { id: 'acc-1' }],
    ['accounts', null],
    ['accounts', []],
    ['credentials', {}],
    ['credentials', [{ account: 'acc-1' }]],
  ] as const)('%s: %j is malformed, and found so before anybody logs in', async (name, value) => {
    expect(codeOf(await open(await withTree(name, new Map([[key, value]]))))).toBe('section-malformed');
  });

  it('an inner node that is missing is found when the snapshot is opened', async () => {
    const accounts = new Map(
      Array.from({ length: 200 }, (_, at) => [
        sha256Hex(utf8(String(at))),
        { ...makeAccount(`acc-${at}`), credentials: [] },
      ]),
    );
    const tree = await withTree('accounts', accounts);
    expect(codeOf(await open(tree))).toBe('ok');
    const below = [...tree.stored.keys()].find((digest) => digest !== tree.manifest.sections.accounts.digest);
    tree.stored.delete(below as string);
    expect(codeOf(await open(tree))).toBe('section-missing');
  });
});

describe('the envelope', () => {
  it('is missing for a node that the zone does not know', async () => {
    expect(codeOf(await open({ self: self(await makeMachine('nod-3')) }))).toBe('envelope-missing');
  });

  it('of another node does not open, whichever of the two is claimed', async () => {
    const posing = { ...self(other), sealingPrivateKey: machine.sealingPrivateKey };
    expect(codeOf(await open({ self: posing }))).toBe('envelope-undecryptable');
    // The other node’s envelope, filed under this node’s name: its key fits, the name that is sealed in does not.
    const sealed = [...blobs.sealed].find(([key]) => key.startsWith('nod-2 '))?.[1];
    const tree = JSON.stringify({ leaf: { [nodeIndexKey('nod-1')]: sealed } });
    const filed = withSection('nodes', utf8(tree));
    expect(codeOf(await open(filed))).toBe('envelope-undecryptable');
    const withItsKey = { ...self(), sealingPrivateKey: other.sealingPrivateKey };
    expect(codeOf(await open({ ...filed, self: withItsKey }))).toBe('envelope-undecryptable');
  });

  it('of another key epoch or another zone does not open', async () => {
    expect(codeOf(await open({ manifest: { ...manifest, keyEpoch: 2 } }))).toBe('envelope-undecryptable');
    expect(codeOf(await open({ manifest: { ...manifest, zone: 'zon-internal' } }))).toBe(
      'envelope-undecryptable',
    );
  });

  test.each([
    ['no text', 7, 'envelope-missing'],
    ['no JSON', 'garbage', 'envelope-undecryptable'],
    ['no ciphertext', '{"enc":"AAAA"}', 'envelope-undecryptable'],
    ['a key of no length', '{"enc":"AAAA","ct":"AAAA"}', 'envelope-undecryptable'],
    [
      'a key that gives everybody the same secret',
      JSON.stringify({ enc: toBase64(new Uint8Array(32)), ct: 'AAAA' }),
      'envelope-undecryptable',
    ],
  ])('that is %s is refused', async (_what, value, code) => {
    const tree = JSON.stringify({ leaf: { [nodeIndexKey('nod-1')]: value } });
    expect(codeOf(await open(withSection('nodes', utf8(tree))))).toBe(code);
  });
});
