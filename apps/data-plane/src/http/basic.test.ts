import { describe, expect, it } from 'vitest';
import { basicCredentials } from './basic.ts';

const header = (userPass: string | Buffer) => `Basic ${Buffer.from(userPass).toString('base64')}`;

describe('basicCredentials', () => {
  it('splits at the first colon and reads UTF-8', () => {
    expect(basicCredentials(header('acme:se:cret'))).toEqual({ user: 'acme', password: 'se:cret' });
    expect(basicCredentials(header('café:pâss £'))).toEqual({ user: 'café', password: 'pâss £' });
    expect(basicCredentials(header('acme:'))).toEqual({ user: 'acme', password: '' });
    expect(basicCredentials(header('a:b').replace('Basic', 'bAsIc'))).toEqual({ user: 'a', password: 'b' });
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    'Basic ***',
    'Bearer YTpi',
    'Digest username="a"',
    header('no colon'),
    header(':no user'),
    header('a:b\0'),
    header('a:b\n'),
    header(Buffer.from([0x61, 0x3a, 0xff])),
    header(`a:${'b'.repeat(8_192)}`),
    `${header('a:b')}, Basic YTpi`,
  ])('refuses %s', (text) => {
    expect(basicCredentials(text)).toBeUndefined();
  });
});
