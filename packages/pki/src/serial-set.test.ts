import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { maxSerialChunkBytes, packSerials, readSerials } from './serial-set.ts';

const random = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = 0x40 | ((bytes[0] as number) & 0x3f);
  return Buffer.from(bytes).toString('hex');
};

describe('a packed set of serial numbers', () => {
  it('has what was put in, exactly', () => {
    const serials = ['00', '01', 'ff', '0100', '7fffffffffffffffffffffffffffffffffffffffff', 'abcdef'];
    const set = unwrap(readSerials(packSerials(serials)));
    expect(set.size).toBe(serials.length);
    for (const serial of serials) expect(set.has(serial)).toBe(true);
    for (const other of ['02', '0000', '0001', 'abcdee', '7fff', '', '1', '00'.repeat(22)]) {
      expect(set.has(other)).toBe(false);
    }
    expect(unwrap(readSerials([])).has('01')).toBe(false);
  });

  it('holds 100,000 random numbers in 1.6 MB, and a few more change a few chunks', () => {
    const serials = Array.from({ length: 100_000 }, random);
    const started = performance.now();
    const chunks = packSerials(serials);
    const set = unwrap(readSerials(chunks));
    console.log(`packed and read in ${(performance.now() - started).toFixed()} ms, ${chunks.length} chunks`);
    expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1_610_000);
    expect(serials.every((serial) => set.has(serial))).toBe(true);
    expect(Array.from({ length: 10_000 }, random).some((serial) => set.has(serial))).toBe(false);

    const before = new Set(chunks.map((chunk) => Buffer.from(chunk).toString('hex')));
    const later = packSerials([...serials.toReversed(), random(), random()]);
    const renewed = later.filter((chunk) => !before.has(Buffer.from(chunk).toString('hex')));
    expect(renewed.length).toBeLessThanOrEqual(2);
  });

  it('bounds its chunks, whatever the numbers are like', () => {
    const chunks = packSerials(Array.from({ length: 100_000 }, (_, i) => i.toString(16).padStart(42, '0')));
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(maxSerialChunkBytes);
  });

  it('refuses a chunk that is cut, out of order, too long or of impossible groups', () => {
    const [chunk] = packSerials(['01', '02', '0100']);
    const good = chunk as Uint8Array<ArrayBuffer>;
    const bad = [
      good.slice(0, -1),
      good.slice(0, 3),
      Uint8Array.of(1, 0, 0, 0, 2, 2, 1),
      Uint8Array.of(1, 0, 0, 0, 2, 1, 1),
      Uint8Array.of(2, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1),
      Uint8Array.of(0, 0, 0, 0, 1),
      Uint8Array.of(22, 0, 0, 0, 1, ...new Uint8Array(22)),
      Uint8Array.of(1, 255, 255, 255, 255, 1),
      Uint8Array.of(1, 0, 0, 0, 0),
      new Uint8Array(maxSerialChunkBytes + 1),
    ];
    for (const broken of bad) expect(readSerials([broken])).toMatchObject({ ok: false });
  });
});
