// Where ssh2's native binding is, and whether it loads under the Node that runs Sallyport.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const windows = process.platform === 'win32';

/**
 * The Node that runs Sallyport and the folder that holds its headers: the packaged one, or else the running one.
 *
 * @returns {{ executable: string, headers: string | undefined }}
 */
export function sallyportRuntime() {
  const packaged = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(packaged)) return { executable: process.execPath, headers: undefined };
  const platform = `node-${process.platform}-${process.arch}`;
  const headers = [
    join(root, 'node_modules', 'node', 'node_modules', platform),
    join(root, 'node_modules', platform),
  ].find((folder) => existsSync(join(folder, 'include', 'node', 'node.h')));
  return { executable: packaged, headers };
}

/**
 * The folder of ssh2 that node-gyp builds in; undefined where ssh2 is not installed.
 *
 * @returns {string | undefined}
 */
export function sshBindingFolder() {
  try {
    const manifest = createRequire(join(root, 'apps', 'data-plane', 'package.json')).resolve(
      'ssh2/package.json',
    );
    return join(dirname(manifest), 'lib', 'protocol', 'crypto');
  } catch {
    return undefined;
  }
}

/** What a binding calls that was built with Node's own object wrapper: see ssh-binding-object-wrap.h. */
const fatalHook = 'RemoveEnvironmentCleanupHook';

/**
 * Does the built binding load and work under that Node? One that was built for another major version of OpenSSL
 * loads, and fails at the second packet of chacha20-poly1305; one that takes its hooks off while its objects are
 * collected ends the process some day. Always asked in a process of its own: a binding of
 * another Node may do worse than throw.
 *
 * @param {string} executable a Node
 * @param {string} folder as of `sshBindingFolder`
 */
export function sshBindingLoads(executable, folder) {
  const binding = join(folder, 'build', 'Release', 'sshcrypto.node');
  if (!existsSync(binding) || readFileSync(binding).includes(fatalHook)) return false;
  const probe = `const { ChaChaPolyCipher } = require(${JSON.stringify(binding)});
    const cipher = new ChaChaPolyCipher(Buffer.alloc(64));
    for (const number of [0, 1]) cipher.encrypt(Buffer.alloc(48), number);`;
  return spawnSync(executable, ['-e', probe]).status === 0;
}

/**
 * What the build must be told of the OpenSSL inside that Node; ssh2's own installer passes the same.
 *
 * @param {string} executable a Node
 */
export function opensslFlag(executable) {
  const { stdout } = spawnSync(executable, ['-p', 'process.versions.openssl'], { encoding: 'utf8' });
  return `--real_openssl_major=${/^\d+/.exec(stdout ?? '')?.[0] ?? 3}`;
}
