import { expect, test } from 'vitest';
import { joinedNode } from '../test-node.ts';
import { expectProblem, type Json, type World } from '../world.ts';

/** A wake, the publication before it, and a machine that is busy with other tests. */
const wakeMs = 3_000;

export function publicationCases(world: World): void {
  const { call } = world;
  const snapshots = async (zone: string): Promise<Json[]> =>
    (await call(`GET /v1/snapshots?zone=${zone}`)).body.items;
  const propagation = async (zone: string, sequence: number) =>
    (await call(`GET /v1/zones/${zone}/propagation?sequence=${sequence}`)).body;
  const published = (zone: string, sequence: number) =>
    expect
      .poll(async () => (await propagation(zone, sequence)).version, { timeout: 10_000 })
      .toEqual(expect.any(Number));

  test('a change is published, and what changes nothing for the zone makes no version', async () => {
    const zone = await world.zone();
    const elsewhere = await world.zone();
    const account = await world.account(zone);
    await published(zone, account.changeSequence);
    const before = await snapshots(zone);
    expect(before[0]).toMatchObject({
      zone,
      trustEpoch: 1,
      current: true,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(before.filter(({ current }) => current)).toHaveLength(1);
    expect(before.map(({ version }) => version)).toEqual(before.map((_, index) => before.length - index));

    const same = await call(`PATCH /v1/accounts/${account.id}`, {
      version: 1,
      body: { contact: 'nobody on a node knows' },
    });
    await published(zone, same.body.changeSequence);
    expect(await snapshots(zone)).toEqual(before);

    const other = await world.account(elsewhere);
    await published(elsewhere, other.changeSequence);
    expect(await snapshots(zone)).toEqual(before);
    expect((await propagation(zone, other.changeSequence)).version).toBe(before[0]?.version);
    expect((await call(`GET /v1/snapshots?zone=${zone}&limit=1&below=1`)).body.items).toEqual(
      before.slice(-1),
    );
  });

  test('a node reads what was configured, and nothing of another zone', async () => {
    const zone = await world.zone();
    const elsewhere = await world.zone();
    const node = await joinedNode(world, zone);
    const mine = await world.account(zone, { password: 'correct horse' });
    const theirs = await world.account(elsewhere);
    const certificate = await world.localCertificate(zone);
    await world.localCertificate(zone);
    const server = await world.server(zone, { certificates: [certificate.id] });
    await world.server(elsewhere);
    await published(zone, server.changeSequence);
    const { reader, timestamp } = await node.snapshot();
    expect(reader.servers.map(({ server }) => server.id)).toEqual([server.id]);
    expect(reader.envelope.privateKeys.map((key) => key.certificate)).toEqual([certificate.id]);
    expect(await reader.account(mine.name)).toMatchObject({
      ok: true,
      value: { id: mine.id, passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) },
    });
    expect(await reader.account(theirs.name)).toEqual({ ok: true, value: undefined });
    expect(timestamp.auditHead.sequence).toBeGreaterThan(0);
  });

  test('propagation: published, rolling out, live', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const { changeSequence } = await world.server(zone);
    await published(zone, changeSequence);
    const rolling = await propagation(zone, changeSequence);
    expect(rolling).toMatchObject({
      zone,
      sequence: changeSequence,
      state: 'rolling-out',
      nodes: [{ id: node.id, live: false }],
    });
    const report = { sequence: 1, appliedVersion: rolling.version, serving: 'serving', items: [] };
    await node.send('POST /v1/node/status', { body: report });
    expect(await propagation(zone, changeSequence)).toMatchObject({ state: 'live', nodes: [{ live: true }] });
    expect(await propagation(zone, changeSequence + 1_000)).toMatchObject({ state: 'publishing' });
    expectProblem(await call(`GET /v1/zones/${zone}/propagation`), 422, 'invalid-request', 'query/sequence');
    expectProblem(await call('GET /v1/zones/nowhere/propagation?sequence=1'), 404, 'not-found');
  });

  test('a poll that waits is woken by a change, and one without news waits for its time', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const { manifest } = await node.snapshot();
    const started = performance.now();
    const quiet = await node.poll({ after: manifest.version, wait: 1 });
    expect(quiet).toMatchObject({ status: 200, body: { timestamp: expect.any(String) } });
    expect(quiet.body).not.toHaveProperty('manifest');
    expect(performance.now() - started).toBeGreaterThan(900);

    const waiting = node.poll({ after: manifest.version, wait: 25 });
    await world.server(zone);
    const changed = performance.now();
    expect((await waiting).body.manifest).toEqual(expect.any(String));
    expect(performance.now() - changed).toBeLessThan(wakeMs);
    expectProblem(await node.poll({ after: 0, wait: 31 }), 422, 'invalid-request', 'query/wait');
  });

  test('an unchanged zone’s timestamp is signed again each third of its life, and its version stays', async () => {
    const zone = await world.zone({ snapshot: { timestampSeconds: 3, graceSeconds: 0 } });
    const node = await joinedNode(world, zone);
    const first = await node.snapshot();
    const held = Date.parse(first.timestamp.issuedAt);
    const answer = await node.poll({ after: first.manifest.version, issuedAt: held, wait: 10 });
    expect(answer.body).not.toHaveProperty('manifest');
    const second = await node.snapshot();
    expect(Date.parse(second.timestamp.issuedAt)).toBeGreaterThanOrEqual(held + 1_000);
    expect(Date.parse(second.timestamp.expiresAt)).toBeGreaterThan(Date.parse(first.timestamp.expiresAt));
    expect(second.manifest).toEqual(first.manifest);
    expect(await snapshots(zone)).toHaveLength(first.manifest.version);
  });

  test('parallel changes are all published, each once, and numbered one after another', async () => {
    const zone = await world.zone();
    const node = await joinedNode(world, zone);
    const made = await Promise.all(Array.from({ length: 20 }, () => world.account(zone)));
    const numbers = made.map(({ changeSequence }) => changeSequence).sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0] + index));
    await published(zone, numbers.at(-1));
    const { reader, manifest } = await node.snapshot();
    for (const { name, id } of made) expect(await reader.account(name)).toMatchObject({ value: { id } });
    const versions = (await snapshots(zone)).map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, index) => manifest.version - index));
  });
}
