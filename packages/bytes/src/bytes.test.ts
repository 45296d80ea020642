import { describe, expect, it, test } from 'vitest';
import {
  canonicalJson,
  concat,
  copyOf,
  deriveKey,
  equalConstantTime,
  fromBase64,
  fromBase64Url,
  fromUtf8,
  hmacSha256,
  sha256,
  sha256Hex,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from './bytes.ts';

const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const all = Uint8Array.from({ length: 256 }, (_, at) => at);

describe('UTF-8', () => {
  it('goes there and back', () => {
    for (const text of ['', 'a', 'ü', '田中', '😀', '\0', '\ufeffwith a mark']) {
      expect(fromUtf8(utf8(text))).toBe(text.replace(/^\ufeff/, ''));
    }
  });

  test.each(['ff', 'c3', 'c080', 'eda080', 'f4908080', '80'])('%s is malformed', (bytes) => {
    expect(() => fromUtf8(hex(bytes))).toThrow(TypeError);
  });
});

describe('base64', () => {
  // RFC 4648 section 10.
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('of %j is %j', (text, encoded) => {
    expect(toBase64(utf8(text))).toBe(encoded);
    expect(fromUtf8(fromBase64(encoded))).toBe(text);
    expect(fromUtf8(fromBase64(encoded.replaceAll('=', '')))).toBe(text);
    expect(toBase64Url(utf8(text))).toBe(encoded.replaceAll('=', ''));
    expect(fromUtf8(fromBase64Url(encoded.replaceAll('=', '')))).toBe(text);
  });

  it('holds every byte, in both alphabets', () => {
    expect(fromBase64(toBase64(all))).toEqual(all);
    expect(fromBase64Url(toBase64Url(all))).toEqual(all);
    expect(toBase64(Uint8Array.of(0xfb, 0xff))).toBe('+/8=');
    expect(toBase64Url(Uint8Array.of(0xfb, 0xff))).toBe('-_8');
  });

  it('holds more than one call of a function takes', () => {
    const large = new Uint8Array(300_001).fill(7);
    expect(fromBase64(toBase64(large))).toEqual(large);
  });

  test.each(['*', 'A', 'AA=A', 'AAAAA', 'Zg=', 'a-b_', 'ü'])('%j is none', (text) => {
    expect(() => fromBase64(text)).toThrow();
  });
  test.each(['+/8', 'Zg==', 'A', ' Zg', 'Zg\n', 'ü'])('%j is none for URLs', (text) => {
    expect(() => fromBase64Url(text)).toThrow();
  });
});

test('hexadecimal has two digits for each byte', () => {
  expect(toHex(Uint8Array.of(0, 1, 15, 16, 255))).toBe('00010f10ff');
  expect(hex(toHex(all))).toEqual(all);
});

describe('equalConstantTime', () => {
  it('is equality', () => {
    expect(equalConstantTime(all, all.slice())).toBe(true);
    expect(equalConstantTime(new Uint8Array(), new Uint8Array())).toBe(true);
    expect(equalConstantTime(all, all.slice(1))).toBe(false);
    for (const at of [0, 100, 255]) {
      const other = all.slice();
      other[at] = (other[at] as number) ^ 0x80;
      expect(equalConstantTime(all, other)).toBe(false);
    }
  });
});

describe('copies', () => {
  it('share no memory with what they are of', () => {
    const memory = new Uint8Array(10).fill(1);
    const copy = copyOf(memory.subarray(2, 5));
    memory.fill(9);
    expect(copy).toEqual(Uint8Array.of(1, 1, 1));
    expect(copy.buffer.byteLength).toBe(3);
    expect(copyOf(Uint8Array.of(1, 2).buffer)).toEqual(Uint8Array.of(1, 2));
  });

  it('are joined in order', () => {
    expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
    expect(concat()).toEqual(new Uint8Array());
  });
});

describe('hashes', () => {
  it('SHA-256 is that of FIPS 180-4', async () => {
    expect(sha256Hex(utf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    const data = new Uint8Array(100_000).fill(3);
    expect(sha256(data)).toEqual(new Uint8Array(await crypto.subtle.digest('SHA-256', data)));
  });

  it('HMAC is that of RFC 4231', () => {
    const mac = (key: Uint8Array, data: Uint8Array) => toHex(hmacSha256(key, data));
    expect(mac(new Uint8Array(20).fill(0x0b), utf8('Hi There'))).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
    expect(mac(utf8('Jefe'), utf8('what do ya want for nothing?'))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    const long = utf8('Test Using Larger Than Block-Size Key - Hash Key First');
    expect(mac(new Uint8Array(131).fill(0xaa), long)).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    );
  });

  it('keys are derived as HKDF of RFC 5869 does, one for each purpose', async () => {
    const secret = new Uint8Array(32).fill(5);
    const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
    const expected = await crypto.subtle.deriveBits(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8('index') },
      key,
      256,
    );
    expect(deriveKey(secret, 'index')).toEqual(new Uint8Array(expected));
    expect(deriveKey(secret, 'mac')).not.toEqual(deriveKey(secret, 'index'));
  });
});

describe('canonicalJson', () => {
  it('orders members by UTF-16 units and writes numbers as RFC 8785 says', () => {
    // Section 3.2.3 and 3.2.2.
    const value = {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '1': 'one',
      '\u0080': 'control',
      '\ud83d\ude02': 'smiley',
      '\u00f6': 'o',
      '\ufb33': 'dagesh',
    };
    expect(Object.values(JSON.parse(canonicalJson(value)))).toHaveLength(7);
    expect(canonicalJson(value)).toBe(
      '{"\\r":"CR","1":"one","\u0080":"control","\u00f6":"o","\u20ac":"Euro","\ud83d\ude02":"smiley","\ufb33":"dagesh"}',
    );
    expect(canonicalJson([Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
  });

  it('does not depend on the order of members', () => {
    expect(canonicalJson({ b: { d: 1, c: [2, { f: 3, e: 4 }] }, a: null })).toBe(
      canonicalJson({ a: null, b: { c: [2, { e: 4, f: 3 }], d: 1 } }),
    );
  });

  test.each([[undefined], [() => 1], [Number.NaN], [Number.POSITIVE_INFINITY], [Symbol('a')]])(
    'has no text for %s',
    (value) => {
      expect(() => canonicalJson(value)).toThrow();
    },
  );
});
