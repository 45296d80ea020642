import { concat, utf8 } from '@sallyport/bytes';
import { describe, expect, it } from 'vitest';
import { PacketFramer } from './framing.ts';

const framed = (body: Uint8Array): Uint8Array => {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, body.length);
  return concat(length, body);
};
const bodies = [utf8('hello'), utf8('a longer packet'), new Uint8Array(200_000).fill(7), utf8('last one')];

function drain(framer: PacketFramer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (;;) {
    const next = framer.next();
    if (!next.ok) throw new Error(next.fault.code);
    if (!next.value) return found;
    expect(next.value.wireLength).toBe(next.value.body.length + 4);
    found.push(next.value.body.slice());
  }
}

describe('PacketFramer', () => {
  it.each([1, 3, 4, 5, 1_000, 4_096, 32_768, 1_000_000])(
    'cuts packets out of portions of %i bytes',
    (size) => {
      const stream = concat(...bodies.map(framed));
      const framer = new PacketFramer();
      const found: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size) {
        const chunk = stream.slice(at, at + size);
        framer.push(chunk);
        found.push(...drain(framer));
        framer.keep();
        chunk.fill(0xee);
      }
      expect(found).toEqual(bodies.map((body) => new Uint8Array(body)));
    },
  );

  it('cuts packets that wait in it, merged from small portions', () => {
    const stream = concat(...bodies.map(framed));
    const framer = new PacketFramer();
    for (let at = 0; at < stream.length; at += 10) framer.push(stream.subarray(at, at + 10));
    framer.keep();
    expect(drain(framer)).toEqual(bodies.map((body) => new Uint8Array(body)));
  });

  it.each([7, 5_000, 100_000])('keeps what nobody takes, in portions of %i bytes', (size) => {
    const stream = concat(...bodies.map(framed));
    const framer = new PacketFramer();
    for (let at = 0; at < stream.length; at += size) {
      const chunk = stream.slice(at, at + size);
      framer.push(chunk);
      framer.keep();
      chunk.fill(0xee);
    }
    expect(drain(framer)).toEqual(bodies.map((body) => new Uint8Array(body)));
  });

  it.each([0, 4, 262_145, 0xffff_ffff])('refuses a length of %i', (length) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, length);
    const framer = new PacketFramer();
    framer.push(bytes);
    expect(framer.next()).toMatchObject({ ok: false, fault: { code: 'message-malformed' } });
  });

  it('takes the largest packet', () => {
    const framer = new PacketFramer();
    framer.push(framed(new Uint8Array(262_144)));
    expect(drain(framer)[0]?.length).toBe(262_144);
  });
});
