import { expect, it } from 'vitest';
import { nativeBindingLoaded } from './binding.ts';

it('ssh2 runs on its native binding under this Node (else: npm run postinstall)', () => {
  expect(nativeBindingLoaded(), `under ${process.execPath} ${process.version}`).toBe(true);
});
