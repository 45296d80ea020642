import { expect, test } from 'vitest';
import { isReserved } from './disk-walk.ts';

test.each([
  ['.sallyport-staging', true],
  ['.Sallyport-STAGING', true],
  ['.\u017fallyport-staging', true],
  ['.sally\u200dport-staging', true],
  ['\ufeff.sallyport-staging', true],
  ['.ｓａｌｌｙｐｏｒｔ-staging', true],
  ['sallyport-staging', false],
  ['.sallyport-staging2', false],
  ['.sallyport', false],
])('%j is reserved: %s', (name, reserved) => {
  expect(isReserved(name)).toBe(reserved);
});
