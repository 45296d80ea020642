import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { nativeBindingLoaded } from './binding.ts';

const hint = `under ${process.execPath} ${process.version}; cure: npm run postinstall`;

it('ssh2 runs on its native binding under this Node', () => {
  expect(nativeBindingLoaded(), hint).toBe(true);
});

it('the binding was built for the OpenSSL of this Node', () => {
  const { ChaChaPolyCipher } = createRequire(import.meta.url)(
    'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node',
  );
  const cipher = new ChaChaPolyCipher(Buffer.alloc(64));
  // Built for another major version it fails at the second packet.
  for (const number of [0, 1]) {
    expect(() => cipher.encrypt(Buffer.alloc(48), number), hint).not.toThrow();
  }
});
