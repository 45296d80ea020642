/** Random numbers that are the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Octets that mean something to the formats: lengths, tags, ends of strings. */
const telling = [0x00, 0x01, 0x02, 0x04, 0x06, 0x0a, 0x1f, 0x30, 0x31, 0x7f, 0x80, 0x82, 0x84, 0xa0, 0xff];

function mutateOnce(bytes: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  const at = random(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random(16));
  const changed = Uint8Array.from(bytes);
  switch (random(8)) {
    case 0:
      changed[at] = (changed[at] as number) ^ (1 << random(8));
      return changed;
    case 1:
      changed[at] = random(256);
      return changed;
    case 2:
      changed[at] = telling[random(telling.length)] as number;
      return changed;
    case 3:
      return changed.slice(0, at);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 6:
      return Buffer.concat([
        bytes.subarray(0, at),
        other.subarray(random(other.length)).subarray(0, 64),
        bytes.subarray(end),
      ]);
    default: {
      // Digits of cost parameters and of line counts.
      const digit = changed.findIndex((octet, i) => i >= at && octet >= 0x30 && octet <= 0x39);
      if (digit >= 0) changed[digit] = 0x30 + random(10);
      return changed;
    }
  }
}

/** One to three changes; in PEM mostly to what the block holds, since base64 hides the structure. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: (below: number) => number): Uint8Array {
  const times = 1 + random(3);
  const changed = (from: Uint8Array): Uint8Array => {
    let result = from;
    for (let i = 0; i < times && result.length > 0; i++) result = mutateOnce(result, other, random);
    return result;
  };
  const text = Buffer.from(bytes).toString('latin1');
  const block = /-----BEGIN ([A-Z0-9 ]+)-----\n((?:[A-Za-z-]+: .*\n)*\n?)([A-Za-z0-9+/=\n]+)-----END/.exec(
    text,
  );
  if (!block || random(4) === 0) return changed(bytes);
  const [, label = '', headers = '', body = ''] = block;
  const base64 = Buffer.from(changed(Buffer.from(body, 'base64'))).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  const before = text.slice(0, block.index);
  const after = text.slice(block.index + block[0].length).replace(/^[^\n]*/, '');
  const armoured = `${before}-----BEGIN ${label}-----\n${headers}${lines.join('\n')}\n-----END ${label}-----${after}`;
  return Buffer.from(armoured, 'latin1');
}
