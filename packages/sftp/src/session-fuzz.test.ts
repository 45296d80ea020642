import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskFileSystem } from '@sallyport/files/disk';
import { expect, it } from 'vitest';
import { ask, clientPacket, Peer } from './fixture/peer.ts';

/** A small generator with a seed (mulberry32): a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

it('survives garbage: raw, framed, and requests with flipped bytes', async () => {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'sftp-fuzz-')));
  for (let seed = 1; seed <= 300; seed++) {
    const next = random(seed);
    const peer = new Peer({ files: diskFileSystem({ home, uploadMode: 'staged' }) });
    peer.give(ask.init());
    const handle = new Uint8Array([0, 0, 0, next() % 4]);
    for (let round = 0; round < 12; round++) {
      const bytes = Uint8Array.from({ length: next() % 60 }, () => next());
      const requests = [
        bytes,
        clientPacket(next() % 210, (w) => w.uint32(next()).string(bytes)),
        ask.open(next(), `/f${next() % 3}`, next() % 64, { mode: next() % 0o777 }),
        ask.write(next(), handle, next() % 9_000, bytes),
        ask.read(next(), handle, next() % 9_000, next()),
        ask.close(next(), handle),
        ask.mkdir(next(), `/d${next() % 3}`),
        ask.rename(next(), `/f${next() % 3}`, `/d${next() % 3}/x`),
        ask.opendir(next(), '/'),
        ask.readdir(next(), handle),
      ];
      // Raw garbage ends most sessions at once: rare.
      const chosen = (requests[next() % 40 === 0 ? 0 : 1 + (next() % 9)] as Uint8Array).slice();
      if (next() % 6 === 0 && chosen.length > 5) chosen[4 + (next() % (chosen.length - 4))] = next();
      peer.give(chosen);
      if (next() % 3 === 0) await new Promise(setImmediate);
    }
    if (next() % 2) peer.session.end();
    else peer.session.abort();
    await peer.closed;
    expect(peer.errors, `seed ${seed}`).toEqual([]);
  }
  await rm(home, { recursive: true });
});
