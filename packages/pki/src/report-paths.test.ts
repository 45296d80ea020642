import 'reflect-metadata';
import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { clientAuth, makeChain, past, serverAuth } from '../fixture/judged-client.ts';
import { certify, now, party } from '../fixture/made-certificate.ts';
import { parseCertificate } from './certificate.ts';
import { reportPaths } from './report-paths.ts';
import { trustAnchors } from './trust-anchors.ts';

const read = (der: Uint8Array) => unwrap(parseCertificate(der));
const circumstances = { now, isRevoked: () => false };
const summary = ({ path, anchored, refusals }: Awaited<ReturnType<typeof reportPaths>>['paths'][number]) => ({
  path: path.map(({ subject }) => subject),
  anchored,
  reasons: refusals.map(({ reason }) => reason),
});

describe('the report of a chain', () => {
  it('shows every candidate, of two CAs with one name too, and what is wrong with each', async () => {
    const { middleDer, rootDer, leaf } = await makeChain();
    const twin = await party('Root');
    const twinDer = await certify(twin, twin, { ca: true });
    const report = await reportPaths(
      read(leaf),
      [read(middleDer)],
      trustAnchors([twinDer, rootDer]),
      circumstances,
    );
    expect(report.complete).toBe(true);
    expect(report.paths.map(summary)).toEqual([
      { path: ['CN=client', 'CN=Middle', 'CN=Root'], anchored: false, reasons: ['untrusted'] },
      { path: ['CN=client', 'CN=Middle', 'CN=Root'], anchored: true, reasons: [] },
    ]);
  });

  it('goes on past the first thing that is wrong', async () => {
    const { root, rootDer, middle, client } = await makeChain();
    const middleDer = await certify(root, middle, { ca: true, ...past });
    const leaf = await certify(middle, client, { purposes: [serverAuth] });
    const anchors = trustAnchors([rootDer]);
    const report = await reportPaths(read(leaf), [read(middleDer)], anchors, circumstances);
    expect(report.paths.map(summary)).toEqual([
      { path: ['CN=client', 'CN=Middle', 'CN=Root'], anchored: true, reasons: ['purpose', 'expired'] },
    ]);
    const server = { ...circumstances, purpose: 'tls-server', now: new Date('2020-06-01') } as const;
    const earlier = await reportPaths(read(leaf), [read(middleDer)], anchors, server);
    expect(earlier.paths.map(summary)[0]?.reasons).toEqual(['not-yet-valid', 'not-yet-valid']);
  });

  it('says where the way ends, and never goes round', async () => {
    const { middleDer, leaf } = await makeChain();
    const report = await reportPaths(read(leaf), [read(middleDer)], trustAnchors([]), circumstances);
    expect(report.paths.map(summary)).toEqual([
      { path: ['CN=client', 'CN=Middle'], anchored: false, reasons: ['untrusted'] },
    ]);
    const [a, b, c] = await Promise.all([party('A'), party('B'), party('leaf')]);
    const circle = await Promise.all([
      certify(a, b, { ca: true }),
      certify(b, a, { ca: true }),
      certify(a, a, { ca: true }),
    ]);
    const last = read(await certify(a, c, { purposes: [clientAuth] }));
    const round = await reportPaths(last, circle.map(read), trustAnchors([]), circumstances);
    expect(round.paths.length).toBeGreaterThan(0);
    for (const { anchored } of round.paths) expect(anchored).toBe(false);
  });

  it('is bounded', async () => {
    const name = 'Same';
    const parties = await Promise.all(Array.from({ length: 12 }, () => party(name)));
    const [first] = parties;
    const ders = await Promise.all(
      parties.flatMap((issuer) =>
        parties.map((subject) => certify(issuer, subject, { ca: true, withoutKeyIds: true })),
      ),
    );
    const report = await reportPaths(
      read(await certify(first as never, await party('leaf'), { withoutKeyIds: true })),
      ders.map(read),
      trustAnchors([]),
      circumstances,
    );
    expect(report.complete).toBe(false);
    expect(report.paths.length).toBeLessThanOrEqual(32);
  });
});
