import { fromUtf8, toBase64Url, utf8 } from '@sallyport/bytes';
import { type Result, unwrap } from '@sallyport/faults';
import type { JWK } from 'jose';
import { CompactSign, FlattenedSign, importJWK } from 'jose';
import { beforeAll, describe, expect, it, test } from 'vitest';
import {
  jwkSigner,
  keyIdOf,
  openEnvelope,
  publicJwkOf,
  type Quorum,
  type Signer,
  signEnvelope,
} from './envelope.ts';
import { generateSigningKey } from './make-root.ts';

let keys: JWK[];
let signers: Signer[];
beforeAll(async () => {
  keys = await Promise.all([generateSigningKey(), generateSigningKey(), generateSigningKey()]);
  signers = await Promise.all(keys.map(jwkSigner));
});

const quorum = (threshold: number, of: readonly number[] = [0, 1]): Quorum => ({
  keys: new Map(of.map((at) => [(signers[at] as Signer).keyId, publicJwkOf(keys[at] as JWK)])),
  threshold,
});
const signedBy = (...by: readonly number[]) =>
  signEnvelope(
    'sallyport-manifest',
    { a: 1 },
    by.map((at) => signers[at] as Signer),
  );
const open = (text: string, of = quorum(1), maxBytes = 4_096) =>
  openEnvelope(text, 'sallyport-manifest', of, maxBytes);
const codeOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);

type Envelope = { payload: string; signatures: { protected: string; signature: string }[] };
const changed = (text: string, change: (envelope: Envelope) => void): string => {
  const envelope = JSON.parse(text) as Envelope;
  change(envelope);
  return JSON.stringify(envelope);
};
const first = (envelope: Envelope) => envelope.signatures[0] as Envelope['signatures'][number];

it('gives back exactly the bytes that were signed', async () => {
  expect(fromUtf8(unwrap(await open(await signedBy(0))))).toBe('{"a":1}');
});

describe('the quorum', () => {
  it('needs as many keys as its threshold', async () => {
    expect(codeOf(await open(await signedBy(0), quorum(2)))).toBe('snapshot-signer');
    expect(codeOf(await open(await signedBy(0, 1), quorum(2)))).toBe('ok');
  });

  it('counts two signatures of one key once', async () => {
    expect(codeOf(await open(await signedBy(0, 0), quorum(2)))).toBe('snapshot-signer');
    const twice = changed(await signedBy(0), (envelope) => envelope.signatures.push(first(envelope)));
    expect(codeOf(await open(twice, quorum(2)))).toBe('snapshot-signer');
  });

  it('does not count a key of another role, nor one that takes another’s name', async () => {
    expect(codeOf(await open(await signedBy(2)))).toBe('snapshot-signer');
    expect(codeOf(await open(await signedBy(0, 2), quorum(2)))).toBe('snapshot-signer');
    const key = await importJWK(keys[2] as JWK, 'Ed25519');
    const { signature, protected: header } = await new FlattenedSign(utf8('{"a":1}'))
      .setProtectedHeader({ alg: 'Ed25519', kid: signers[0]?.keyId ?? '', typ: 'sallyport-manifest' })
      .sign(key);
    const posing = JSON.stringify({
      payload: toBase64Url(utf8('{"a":1}')),
      signatures: [{ protected: header, signature }],
    });
    expect(codeOf(await open(posing))).toBe('snapshot-signer');
  });

  it('is not spoilt by a signature of somebody else', async () => {
    expect(codeOf(await open(await signedBy(2, 0)))).toBe('ok');
    const withGarbage = changed(await signedBy(0), (envelope) =>
      envelope.signatures.unshift({ protected: '!', signature: '!' }),
    );
    expect(codeOf(await open(withGarbage))).toBe('ok');
  });
});

describe('tampering', () => {
  it('with any byte of the payload or of the signature is seen', async () => {
    const text = await signedBy(0);
    const { payload, signatures } = JSON.parse(text) as Envelope;
    const flip = (word: string, at: number) => {
      const other = word[at] === 'A' ? 'B' : 'A';
      return word.slice(0, at) + other + word.slice(at + 1);
    };
    for (let at = 0; at < payload.length; at++) {
      const tampered = changed(text, (envelope) => {
        envelope.payload = flip(payload, at);
      });
      expect(codeOf(await open(tampered))).toBe('snapshot-signer');
    }
    const { signature, protected: header } = signatures[0] as Envelope['signatures'][number];
    // The last character of each carries bits that are padding.
    for (let at = 0; at < signature.length - 1; at++) {
      const tampered = changed(text, (envelope) => {
        first(envelope).signature = flip(signature, at);
      });
      expect(codeOf(await open(tampered))).toBe('snapshot-signer');
    }
    for (let at = 0; at < header.length; at++) {
      const tampered = changed(text, (envelope) => {
        first(envelope).protected = flip(header, at);
      });
      expect(codeOf(await open(tampered))).toBe('snapshot-signer');
    }
  });

  test.each(['sallyport-root', 'sallyport-timestamp', 'sallyport-deny-list'] as const)(
    'with the kind of document is seen: a %s is no manifest',
    async (type) => {
      const text = await signEnvelope(type, { a: 1 }, [signers[0] as Signer]);
      expect(codeOf(await open(text))).toBe('snapshot-signer');
    },
  );

  test.each([
    ['no algorithm', { alg: 'none' }],
    ['a MAC under the public key', { alg: 'HS256' }],
    ['the general name of the algorithm', { alg: 'EdDSA' }],
    ['no key id', { alg: 'Ed25519', kid: undefined }],
    ['no type', { alg: 'Ed25519', typ: undefined }],
    ['a type that begins alike', { alg: 'Ed25519', typ: 'sallyport-manifest2' }],
    ['a critical extension', { alg: 'Ed25519', crit: ['exp'], exp: 1 }],
  ])('with the header is seen: %s', async (_what, header) => {
    const text = await signedBy(0);
    const whole = { kid: signers[0]?.keyId, typ: 'sallyport-manifest', ...header };
    const tampered = changed(text, (envelope) => {
      first(envelope).protected = toBase64Url(utf8(JSON.stringify(whole)));
    });
    expect(codeOf(await open(tampered))).toBe('snapshot-signer');
  });

  it('by a signer who says less than he must is refused, though the signature is good', async () => {
    const key = await importJWK(keys[0] as JWK, 'Ed25519');
    const sign = async (header: Record<string, unknown>) => {
      const jws = await new FlattenedSign(utf8('{"a":1}'))
        .setProtectedHeader({ alg: 'Ed25519', ...header })
        .sign(key);
      return JSON.stringify({
        payload: jws.payload,
        signatures: [{ protected: jws.protected, signature: jws.signature }],
      });
    };
    const kid = signers[0]?.keyId ?? '';
    expect(codeOf(await open(await sign({ kid, typ: 'sallyport-manifest' })))).toBe('ok');
    expect(codeOf(await open(await sign({ kid })))).toBe('snapshot-signer');
    expect(codeOf(await open(await sign({ typ: 'sallyport-manifest' })))).toBe('snapshot-signer');
    expect(codeOf(await open(await sign({ kid, typ: 'JWT' })))).toBe('snapshot-signer');
  });
});

describe('what is no envelope', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no signature', '{"payload":"e30","signatures":[]}'],
    ['no payload', '{"signatures":[{"protected":"e30","signature":"e30"}]}'],
    ['an unprotected header', '{"payload":"e30","signatures":[{"protected":"","signature":"","header":{}}]}'],
    ['a further member', '{"payload":"e30","signatures":[{"protected":"","signature":""}],"x":1}'],
    [
      'more signatures than anybody needs',
      JSON.stringify({ payload: 'e30', signatures: Array(17).fill({ protected: '', signature: '' }) }),
    ],
  ])('%s', async (_what, text) => {
    expect(codeOf(await open(text))).toBe('snapshot-envelope');
  });

  it('nor is the compact form', async () => {
    const key = await importJWK(keys[0] as JWK, 'Ed25519');
    const compact = await new CompactSign(utf8('{"a":1}'))
      .setProtectedHeader({ alg: 'Ed25519', kid: signers[0]?.keyId ?? '', typ: 'sallyport-manifest' })
      .sign(key);
    expect(codeOf(await open(compact))).toBe('snapshot-envelope');
  });

  it('is not even read where it is too large, counted in bytes', async () => {
    const text = await signedBy(0);
    expect(codeOf(await open(text, quorum(1), text.length))).toBe('ok');
    expect(codeOf(await open(text, quorum(1), text.length - 1))).toBe('snapshot-oversize');
    expect(codeOf(await open('ü'.repeat(60), quorum(1), 100))).toBe('snapshot-oversize');
  });
});

it('knows keys by their thumbprint, and no other kind of key', async () => {
  // RFC 8037 appendix A.3.
  expect(
    await keyIdOf({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
  ).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  expect(() => publicJwkOf({ kty: 'RSA', n: 'AQAB', e: 'AQAB' })).toThrow(TypeError);
  expect(publicJwkOf({ ...(keys[0] as JWK) })).not.toHaveProperty('d');
});
