import { type Bytes, fromUtf8, toBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeLocal } from '../fixture/local-certificate.ts';
import {
  contentWith,
  type Machine,
  makeAccount,
  makeMachine,
  makeRegistered,
  makeServer,
  makeTrust,
  memoryBlobs,
  nodeOf,
  publishWorld,
  randomBytes,
  type Trust,
} from '../fixture/world.ts';
import type { LocalCertificate, ZoneContent } from './compile.ts';
import { sectionNames } from './documents.ts';
import { nodeIndexKey } from './index-key.ts';
import { openSnapshot } from './reader.ts';

let trust: Trust;
let locals: LocalCertificate[];
let machines: Machine[];
let content: ZoneContent;
const contentKey = randomBytes(32);

beforeAll(async () => {
  trust = await makeTrust();
  locals = await Promise.all(['crt-ssh', 'crt-ftp'].map(makeLocal));
  machines = await Promise.all(['nod-1', 'nod-2'].map(makeMachine));
  content = contentWith({
    servers: [makeServer('ssh', 'srv-ssh', ['crt-ssh']), makeServer('ftp', 'srv-ftp', ['crt-ftp'])],
    locals,
    accounts: Array.from({ length: 300 }, (_, at) => makeAccount(`acc-${at}`)),
    registered: Array.from({ length: 300 }, (_, at) => makeRegistered(`acc-${at}`, `crt-${at}`)),
    nodes: machines.map((machine) => nodeOf(machine)),
  });
});

const publish = (
  blobs: ReturnType<typeof memoryBlobs>,
  of: ZoneContent,
  keyEpoch = 1,
  key: Bytes = contentKey,
) => publishWorld({ trust, content: of, blobs, contentKey: key, keyEpoch });

const opened = async (blobs: ReturnType<typeof memoryBlobs>, of: ZoneContent, machine: Machine) => {
  const { document } = await publish(blobs, of);
  const self = { ...machine, nodeKey: nodeIndexKey(machine.node) };
  return unwrap(await openSnapshot(document, self, blobs.fetch));
};

describe('what has not changed', () => {
  it('keeps its ciphertext, its envelopes and its addresses', async () => {
    const blobs = memoryBlobs();
    const first = await publish(blobs, content);
    const stored = new Map(blobs.stored);
    const sealed = new Map(blobs.sealed);
    const second = await publish(blobs, structuredClone(content));
    expect(second.document.sections).toEqual(first.document.sections);
    expect(blobs.stored).toEqual(stored);
    expect(blobs.sealed).toEqual(sealed);
  });

  it('keeps them while something else changes', async () => {
    const blobs = memoryBlobs();
    const first = await publish(blobs, content);
    const before = blobs.stored.size;
    const [account, ...others] = content.accounts;
    const locked = { ...account, locked: true } as typeof account & object;
    const second = await publish(blobs, { ...content, accounts: [locked, ...others] });
    const moved = sectionNames.filter(
      (name) => first.document.sections[name].digest !== second.document.sections[name].digest,
    );
    expect(moved).toEqual(['accounts']);
    // The root of the tree and one leaf.
    expect(blobs.stored.size - before).toBeLessThanOrEqual(3);
  });

  it('is sealed anew for one node alone where its override changes', async () => {
    const blobs = memoryBlobs();
    await publish(blobs, content);
    const [first, second] = machines as [Machine, Machine];
    const before = blobs.sealed.size;
    await publish(blobs, {
      ...content,
      nodes: [nodeOf(first, [{ server: 'srv-ssh', port: 22 }]), nodeOf(second)],
    });
    expect(blobs.sealed.size - before).toBe(1);
  });

  it('is sealed anew where a node has another key', async () => {
    const blobs = memoryBlobs();
    await publish(blobs, content);
    const [, second] = machines as [Machine, Machine];
    const renewed = await makeMachine('nod-1');
    const reader = await opened(blobs, { ...content, nodes: [nodeOf(renewed), nodeOf(second)] }, renewed);
    expect(reader.envelope.privateKeys).toHaveLength(2);
  });

  it('shares nothing with another key epoch', async () => {
    const blobs = memoryBlobs();
    const first = await publish(blobs, content);
    const second = await publish(blobs, content, 2, randomBytes(32));
    for (const name of sectionNames) {
      expect(second.document.sections[name].digest).not.toBe(first.document.sections[name].digest);
    }
  });
});

describe('secrets', () => {
  it('stand in no stored blob, nor do names', async () => {
    const blobs = memoryBlobs();
    await publish(blobs, content);
    const secrets = [
      toBase64(contentKey),
      ...locals.map((local) => toBase64(local.privateKey as Bytes)),
      'acc-7',
      'srv-ssh',
      'nod-1',
    ].map((text) => text.slice(0, 40));
    for (const bytes of blobs.stored.values()) {
      const text = new TextDecoder('latin1').decode(bytes);
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    }
    for (const envelope of blobs.sealed.values()) {
      for (const secret of secrets) expect(envelope.includes(secret)).toBe(false);
    }
  });

  it('go to the nodes that run the server, and to no other', async () => {
    const [first, second] = machines as [Machine, Machine];
    const of = {
      ...content,
      nodes: [
        nodeOf(first, [{ server: 'srv-ftp', run: false }]),
        nodeOf(second, [{ server: 'srv-ssh', run: false }]),
      ],
    };
    const blobs = memoryBlobs();
    const keysOf = async (machine: Machine) =>
      (await opened(blobs, of, machine)).envelope.privateKeys.map(({ certificate }) => certificate);
    expect(await keysOf(first)).toEqual(['crt-ssh']);
    expect(await keysOf(second)).toEqual(['crt-ftp']);
  });
});

describe('a node with a key that is none', () => {
  it.each([
    ['too short', new Uint8Array(31).fill(9)],
    ['of small order', new Uint8Array(32)],
  ])('%s gets no envelope, and the others get theirs', async (_what, sealingKey) => {
    const [good] = machines as [Machine, Machine];
    const of = { ...content, nodes: [{ id: 'nod-bad', sealingKey, overrides: [] }, nodeOf(good)] };
    const blobs = memoryBlobs();
    expect((await opened(blobs, of, good)).envelope.privateKeys).toHaveLength(2);
    const { document } = await publish(blobs, of);
    const bad = { ...good, node: 'nod-bad', nodeKey: nodeIndexKey('nod-bad') };
    const result = await openSnapshot(document, bad, blobs.fetch);
    expect(result.ok ? 'ok' : result.fault.code).toBe('envelope-missing');
  });
});

it('takes keys that are views into larger memory', async () => {
  const [first] = machines as [Machine, Machine];
  const padded = (key: Bytes): Bytes => {
    const memory = new Uint8Array(96);
    memory.set(key, 40);
    return memory.subarray(40, 72);
  };
  const of = { ...content, nodes: [{ ...nodeOf(first), sealingKey: padded(first.publicKey) }] };
  const self = { ...first, sealingPrivateKey: padded(first.sealingPrivateKey) };
  expect((await opened(memoryBlobs(), of, self)).envelope.privateKeys).toHaveLength(2);
});

it('files nodes under a hash of their id', async () => {
  const blobs = memoryBlobs();
  const { document } = await publish(blobs, content);
  const tree = fromUtf8((await blobs.fetch(document.sections.nodes)) as Bytes);
  expect(Object.keys(JSON.parse(tree).leaf).sort()).toEqual(['nod-1', 'nod-2'].map(nodeIndexKey).sort());
  expect(utf8(tree).length).toBe(document.sections.nodes.size);
});
