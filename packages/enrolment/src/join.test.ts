import { toBase64Url, toHex, utf8 } from '@sallyport/bytes';
import type { Result } from '@sallyport/faults';
import { describe, expect, it, test } from 'vitest';
import { joinProof } from './join-proof.ts';
import { formatJoinToken, type JoinTicket, parseJoinToken } from './join-token.ts';

const ticket: JoinTicket = {
  url: 'https://control.example.com',
  root: 'ab'.repeat(32),
  zone: 'zon_1',
  token: 'jtk_1',
  secret: 'A'.repeat(43),
  nodeName: 'node-1',
};
const codeOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.fault.code);

describe('a join token', () => {
  it('is one word that comes back', () => {
    const text = formatJoinToken(ticket);
    expect(text).toMatch(/^slyjoin_[A-Za-z0-9_-]+$/);
    expect(parseJoinToken(text)).toEqual({ ok: true, value: ticket });
    expect(parseJoinToken(`  ${text}\n`)).toEqual({ ok: true, value: ticket });
    const { nodeName: _nodeName, ...unnamed } = ticket;
    expect(parseJoinToken(formatJoinToken(unnamed))).toEqual({ ok: true, value: unnamed });
  });

  test.each([
    '',
    'garbage',
    'slyjoin_',
    'slyjoin_*',
    'slyjoin_A',
    'slyjoin_AAAA',
    `slyjoin_${toBase64Url(utf8('null'))}`,
    `slyjoin_${toBase64Url(utf8('[]'))}`,
    `slyjoin_${toBase64Url(utf8('{'))}`,
    `slyjoin_${toBase64Url(Uint8Array.of(0xff, 0xfe))}`,
    `SLYJOIN_${formatJoinToken(ticket).slice(8)}`,
    `slyjoin_${'A'.repeat(10_000)}`,
    formatJoinToken(ticket).slice(0, -8),
    `${formatJoinToken(ticket)} x`,
  ])('%.30j is none', (text) => {
    expect(codeOf(parseJoinToken(text))).toBe('join-token-invalid');
  });

  test.each([
    ['a scheme that is not the web’s', { url: 'file:///etc/passwd' }],
    ['no URL', { url: 'control' }],
    ['a URL without end', { url: `https://a/${'x'.repeat(3_000)}` }],
    ['no fingerprint', { root: 'ab' }],
    ['a fingerprint in capitals', { root: 'AB'.repeat(32) }],
    ['a short secret', { secret: 'A'.repeat(42) }],
    ['a zone that is a path', { zone: '../x' }],
    ['a name that is none', { nodeName: 'Node 1' }],
    ['a member more', { more: 1 }],
  ])('with %s is refused', (_what, change) => {
    const text = formatJoinToken({ ...ticket, ...change } as JoinTicket);
    expect(codeOf(parseJoinToken(text))).toBe('join-token-invalid');
  });

  it('that is refused does not stand in the refusal', () => {
    const text = formatJoinToken({ ...ticket, root: 'x', secret: 'S3cret'.padEnd(43, 'x') });
    expect(JSON.stringify(parseJoinToken(text))).not.toMatch(/S3cret|UzNjcmV0/);
  });
});

describe('joinProof', () => {
  const secret = new Uint8Array(32).fill(1);
  const claim = {
    token: 'jtk_1',
    name: 'node-1',
    signingKey: new Uint8Array(32).fill(2),
    sealingKey: new Uint8Array(32).fill(3),
  };
  const proof = (change: Partial<typeof claim> = {}, by = secret) =>
    toHex(joinProof(by, { ...claim, ...change }));

  it('is the same for the same claim', () => {
    expect(proof()).toBe(proof());
    expect(proof()).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['token', { token: 'jtk_2' }],
    ['name', { name: 'node-2' }],
    ['signing key', { signingKey: new Uint8Array(32).fill(9) }],
    ['sealing key', { sealingKey: new Uint8Array(32).fill(9) }],
    // Each field has its length in front: what ends here cannot begin there.
    ['border between token and name', { token: 'jtk_', name: '1node-1' }],
    ['place of the two keys', { signingKey: claim.sealingKey, sealingKey: claim.signingKey }],
  ])('covers the %s', (_what, change) => {
    expect(proof(change)).not.toBe(proof());
  });

  it('needs the secret', () => {
    expect(proof({}, new Uint8Array(32))).not.toBe(proof());
  });
});
