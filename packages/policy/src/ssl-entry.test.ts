import { everyone, type SslEntry } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { userClass } from '../fixture/login.ts';
import { encryptionFor } from './ssl-entry.ts';

const entry = (
  userClassId: string,
  encryption: SslEntry['encryption'],
  state: 'enabled' | 'disabled' = 'enabled',
): SslEntry => ({
  id: `${userClassId}-${encryption}`,
  userClass: userClassId,
  encryption,
  enabled: state === 'enabled',
});
const inside = userClass({ id: 'inside', sources: ['10.0.0.0/8'] });
const classes = [inside, everyone];
const fromInside = { name: 'alice', source: '10.1.1.1' };
const fromOutside = { name: 'alice', source: '192.0.2.7' };

describe('encryptionFor', () => {
  it('requires where nothing matches', () => {
    expect(encryptionFor([], classes, fromInside)).toBe('required');
    expect(encryptionFor([entry('inside', 'optional')], classes, fromOutside)).toBe('required');
    expect(encryptionFor([entry('everyone', 'optional')], [], fromOutside)).toBe('required');
  });

  it('goes by the first enabled entry that matches', () => {
    const entries = [entry('inside', 'optional'), entry('*', 'required')];
    expect(encryptionFor(entries, classes, fromInside)).toBe('optional');
    expect(encryptionFor(entries, classes, fromOutside)).toBe('required');
    expect(encryptionFor([...entries].reverse(), classes, fromInside)).toBe('required');
    expect(
      encryptionFor([entry('inside', 'optional', 'disabled'), entry('*', 'required')], classes, fromInside),
    ).toBe('required');
  });

  it('lets `*` stand for all, those without a class too', () => {
    expect(encryptionFor([entry('*', 'optional')], [], fromOutside)).toBe('optional');
    expect(encryptionFor([entry('*', 'optional')], classes, fromOutside)).toBe('optional');
  });

  it('requires where a group would decide, even where `*` would not', () => {
    const partners = userClass({ id: 'partners', group: 'partners' });
    expect(encryptionFor([entry('*', 'optional')], [partners, everyone], fromInside)).toBe('required');
    // A class before it settles the matter without the group.
    expect(encryptionFor([entry('*', 'optional')], [inside, partners], fromInside)).toBe('optional');
  });

  it('requires for a name that is longer than any account’s', () => {
    const endless = { name: 'x'.repeat(100_000), source: '10.1.1.1' };
    expect(encryptionFor([entry('*', 'optional')], classes, endless)).toBe('required');
  });
});
