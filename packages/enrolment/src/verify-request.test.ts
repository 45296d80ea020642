import { type Bytes, toBase64, utf8 } from '@sallyport/bytes';
import type { Result } from '@sallyport/faults';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { signRequest } from './sign-request.ts';
import { contentDigestOf, signatureBase, signatureInput } from './signature-base.ts';
import { verifyEd25519, verifyRequest } from './verify-request.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const url = 'https://control.example.com/v1/nodes/nod-1/status?a=1';

type Key = {
  readonly keyId: string;
  readonly publicKey: Bytes;
  readonly sign: (bytes: Bytes) => Promise<Bytes>;
};
async function makeKey(keyId: string): Promise<Key> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  return {
    keyId,
    publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, bytes)),
  };
}

let node: Key;
let other: Key;
beforeAll(async () => {
  node = await makeKey('nod-1');
  other = await makeKey('nod-2');
});

const findKey = async (keyId: string) =>
  keyId === 'nod-1' ? node.publicKey : keyId === 'nod-2' ? other.publicKey : undefined;

type Request = { method: string; url: string; headers: Record<string, string>; body?: Uint8Array };

async function signed(body: Uint8Array | undefined = utf8('{"sequence":1}'), at = now): Promise<Request> {
  const request = { method: 'POST', url, ...(body ? { body } : {}) };
  return { ...request, headers: await signRequest(request, node, at) };
}
async function signedGet(): Promise<Request> {
  const request = { method: 'GET', url };
  return { ...request, headers: await signRequest(request, node, now) };
}
const verified = (request: Request, at = now) =>
  verifyRequest({ ...request, headers: new Headers(request.headers) }, findKey, at);
const codeOf = (result: Result<string>) => (result.ok ? result.value : result.fault.code);

describe('a signed request', () => {
  it('says whose it is', async () => {
    expect(codeOf(await verified(await signed()))).toBe('nod-1');
    expect(codeOf(await verified(await signedGet()))).toBe('nod-1');
    expect(codeOf(await verified(await signed(new Uint8Array())))).toBe('nod-1');
  });

  it('has exactly the form of RFC 9421, and another nonce each time', async () => {
    const { headers } = await signed();
    expect(headers['signature-input']).toMatch(
      /^node=\("@method" "@target-uri" "content-digest"\);created=1780272000;nonce="[A-Za-z0-9_-]{22}";keyid="nod-1";alg="ed25519"$/,
    );
    expect(headers['content-digest']).toMatch(/^sha-256=:[A-Za-z0-9+/]{43}=:$/);
    expect((await signed()).headers['signature-input']).not.toBe(headers['signature-input']);
    expect(Object.keys((await signedGet()).headers).sort()).toEqual(['signature', 'signature-input']);
  });

  test.each([0, 120_000, -120_000])('is good %i ms away', async (skew) => {
    expect(codeOf(await verified(await signed(), now + skew))).toBe('nod-1');
  });
  test.each([121_000, -121_000, 1e12])('is too far at %i ms', async (skew) => {
    expect(codeOf(await verified(await signed(), now + skew))).toBe('node-clock-skew');
  });
});

describe('what has been changed', () => {
  const flip = (text: string, at: number) =>
    `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;

  test.each([
    ['the method', { method: 'PUT' }],
    ['the path', { url: url.replace('nod-1', 'nod-2') }],
    ['the query', { url: url.replace('a=1', 'a=2') }],
    ['the host', { url: url.replace('control', 'contro1') }],
    ['the scheme', { url: url.replace('https', 'http') }],
    ['the body', { body: utf8('{"sequence":2}') }],
    ['the body, by nothing', { body: new Uint8Array() }],
  ])('%s is seen', async (_what, change) => {
    expect(codeOf(await verified({ ...(await signed()), ...change }))).toBe('node-signature-invalid');
  });

  it('the body that was left out, or put in, is seen', async () => {
    const { body: _body, ...withoutBody } = await signed();
    expect(codeOf(await verified(withoutBody))).toBe('node-signature-invalid');
    expect(codeOf(await verified({ ...(await signedGet()), body: utf8('x') }))).toBe(
      'node-signature-invalid',
    );
  });

  it('the body and its digest together are seen', async () => {
    const request = await signed();
    const body = utf8('{"sequence":2}');
    const headers = { ...request.headers, 'content-digest': contentDigestOf(body) };
    expect(codeOf(await verified({ ...request, body, headers }))).toBe('node-signature-invalid');
  });

  it('any byte of the signature is seen', async () => {
    const request = await signed();
    const signature = request.headers.signature as string;
    for (let at = 'node=:'.length; at < signature.length - 4; at += 5) {
      const headers = { ...request.headers, signature: flip(signature, at) };
      expect(codeOf(await verified({ ...request, headers }))).toBe('node-signature-invalid');
    }
  });

  test.each([
    ['the time', (input: string) => input.replace('created=1780272000', 'created=1780272001')],
    ['the nonce', (input: string) => input.replace(/nonce="./, 'nonce="-')],
    ['whose it is', (input: string) => input.replace('nod-1', 'nod-2')],
    ['whose it is, to nobody', (input: string) => input.replace('nod-1', 'nod-3')],
    ['the algorithm', (input: string) => input.replace('ed25519', 'hmac-sha256')],
    ['leading zeros', (input: string) => input.replace('created=', 'created=0')],
    [
      'the order of the parameters',
      (input: string) => input.replace(/(;created=\d+)(;nonce="[^"]*")/, '$2$1'),
    ],
    ['the label', (input: string) => input.replace('node=', 'sig1=')],
    ['a further parameter', (input: string) => `${input};expires=1780272001`],
    ['a second signature', (input: string) => `${input}, node2=();created=1`],
  ])('%s is seen', async (_what, change) => {
    const request = await signed();
    const input = change(request.headers['signature-input'] as string);
    expect(input).not.toBe(request.headers['signature-input']);
    const headers = { ...request.headers, 'signature-input': input };
    expect(codeOf(await verified({ ...request, headers }))).toBe('node-signature-invalid');
  });

  test.each(['signature', 'signature-input', 'content-digest'])('%s that is gone is seen', async (name) => {
    const request = await signed();
    const { [name]: _gone, ...headers } = request.headers;
    expect(codeOf(await verified({ ...request, headers }))).toBe('node-signature-invalid');
  });

  test.each([
    ['signature', ''],
    ['signature', 'node=:AAAA:'],
    ['signature', 'node="text"'],
    ['signature-input', 'node'],
    ['signature-input', `node=(${'"@method" '.repeat(10_000)})`],
    ['content-digest', 'sha-512=:AAAA:'],
    ['content-digest', 'sha-256=:AAAA:'],
  ])('garbage as %s is no signature', async (name, value) => {
    const request = await signed();
    const headers = { ...request.headers, [name]: value };
    expect(codeOf(await verified({ ...request, headers }))).toBe('node-signature-invalid');
  });
});

describe('a signer that covers less', () => {
  /** Signs just what it says, with a good key: the signature itself is right. */
  async function covering(covered: readonly string[], body?: Uint8Array): Promise<Request> {
    const parameters = `(${covered.map((name) => `"${name}"`).join(' ')});created=${now / 1000};nonce="AAAAAAAAAAAAAAAAAAAAAA";keyid="nod-1";alg="ed25519"`;
    const values: Record<string, string> = {
      '@method': body ? 'POST' : 'GET',
      '@target-uri': url,
      'content-digest': contentDigestOf(body ?? new Uint8Array()),
    };
    const base = [
      ...covered.map((name) => `"${name}": ${values[name]}`),
      `"@signature-params": ${parameters}`,
    ].join('\n');
    return {
      method: body ? 'POST' : 'GET',
      url,
      headers: {
        'signature-input': `node=${parameters}`,
        signature: `node=:${toBase64(await node.sign(utf8(base)))}:`,
        ...(body ? { 'content-digest': contentDigestOf(body) } : {}),
      },
      ...(body ? { body } : {}),
    };
  }

  it('is taken where it covers all', async () => {
    const all = ['@method', '@target-uri', 'content-digest'];
    expect(codeOf(await verified(await covering(all, utf8('x'))))).toBe('nod-1');
    expect(codeOf(await verified(await covering(['@method', '@target-uri'])))).toBe('nod-1');
  });

  test.each([
    [['@method', '@target-uri']],
    [['@method', 'content-digest']],
    [['@target-uri', 'content-digest']],
    [['content-digest']],
    [[]],
    [['@target-uri', '@method', 'content-digest']],
    [['@method', '@target-uri', 'content-digest', '@method']],
  ])('%j is refused for a body', async (covered) => {
    expect(codeOf(await verified(await covering(covered, utf8('x'))))).toBe('node-signature-invalid');
  });

  test.each([[['@method']], [['@target-uri']], [[]], [['@method', '@target-uri', 'content-digest']]])(
    '%j is refused without one',
    async (covered) => {
      expect(codeOf(await verified(await covering(covered)))).toBe('node-signature-invalid');
    },
  );
});

it('tells the time only to who has a key: a stranger with a wrong clock learns nothing', async () => {
  const request = await signed(undefined, now - 1e9);
  const headers = { ...request.headers, signature: `node=:${'A'.repeat(86)}==:` };
  expect(codeOf(await verified({ ...request, headers }))).toBe('node-signature-invalid');
  expect(codeOf(await verified(request))).toBe('node-clock-skew');
});

describe('verifyEd25519', () => {
  it('knows the signature of RFC 8032 section 7.1', async () => {
    const hex = (text: string) =>
      Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const key = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    const signature = hex(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
    expect(await verifyEd25519(key, signature, new Uint8Array())).toBe(true);
    expect(await verifyEd25519(key, signature, utf8('x'))).toBe(false);
  });

  test.each([0, 31, 33])('is false for a key of %i bytes', async (length) => {
    expect(await verifyEd25519(new Uint8Array(length), new Uint8Array(64), utf8('x'))).toBe(false);
  });
});

it('the signed bytes are those of RFC 9421 section 2.5', () => {
  const parameters = { created: 1, nonce: 'nonce', keyId: 'nod-1' };
  const parts = { method: 'post', targetUri: 'https://a/b?c', contentDigest: 'sha-256=:x:' };
  expect(new TextDecoder().decode(signatureBase(parts, parameters))).toBe(
    [
      '"@method": POST',
      '"@target-uri": https://a/b?c',
      '"content-digest": sha-256=:x:',
      `"@signature-params": ${signatureInput(parameters, true)}`,
    ].join('\n'),
  );
});
