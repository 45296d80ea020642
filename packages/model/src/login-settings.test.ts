import { expect, test } from 'vitest';
import { normalizedName } from './login-settings.ts';

test.each([
  ['Alice', 'lower', 'alice'],
  ['Alice', 'exact', 'Alice'],
  ['JOSE\u0301', 'lower', 'jos\u00e9'],
  ['Jose\u0301', 'exact', 'Jos\u00e9'],
  ['\u212b', 'exact', '\u00c5'],
  ['', 'lower', ''],
] as const)('%j compared %s is %j', (name, nameCase, expected) => {
  expect(normalizedName(name, nameCase)).toBe(expected);
  expect(normalizedName(expected, nameCase)).toBe(expected);
});
