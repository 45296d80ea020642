import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * Whether ssh2 runs on its native binding under this Node. Without it ssh2 falls back to JavaScript without a word,
 * at half the speed: the start of a node says so, and a test fails.
 */
export function nativeBindingLoaded(): boolean {
  const { bindingAvailable } = require('ssh2/lib/protocol/crypto.js') as { bindingAvailable: boolean };
  return bindingAvailable;
}
