// Makes ssh2's native binding fit the Node that runs Sallyport.
//
// The packaged Node (node_modules/node) differs from the system's, and an add-on compiled against the
// system's headers does not load: ssh2 then falls back to JavaScript at half the speed without a word.
// So: load the binding under the Node that will run it; if that fails, build it against that Node's own headers.
// Always exits 0: without a compiler Sallyport still runs, with one warning at start.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const windows = process.platform === 'win32';

/** The packaged Node's executable and the folder that holds its headers; the running Node where none is packaged. */
function runtime() {
  const packaged = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(packaged)) return { executable: process.execPath, headers: undefined };
  const platform = `node-${process.platform}-${process.arch}`;
  const headers = [
    join(root, 'node_modules', 'node', 'node_modules', platform),
    join(root, 'node_modules', platform),
  ].find((folder) => existsSync(join(folder, 'include', 'node', 'node.h')));
  return { executable: packaged, headers };
}

function cryptoFolder() {
  try {
    const manifest = createRequire(join(root, 'apps', 'data-plane', 'package.json')).resolve(
      'ssh2/package.json',
    );
    return join(dirname(manifest), 'lib', 'protocol', 'crypto');
  } catch {
    return undefined;
  }
}

function loads(executable, folder) {
  const binding = join(folder, 'build', 'Release', 'sshcrypto.node');
  if (!existsSync(binding)) return false;
  return spawnSync(executable, ['-e', `require(${JSON.stringify(binding)})`]).status === 0;
}

const folder = cryptoFolder();
if (folder) {
  const { executable, headers } = runtime();
  if (!loads(executable, folder)) {
    const nodeGyp = process.env.npm_config_node_gyp;
    const built =
      nodeGyp &&
      spawnSync(executable, [nodeGyp, 'rebuild', '--release'], {
        cwd: folder,
        encoding: 'utf8',
        env: headers ? { ...process.env, npm_config_nodedir: headers } : process.env,
      });
    if (!loads(executable, folder)) {
      console.warn(
        'sallyport: the native SSH binding could not be built; SSH will run in JavaScript at about half the speed.\n' +
          '  Install python3, make and g++, then run: npm run postinstall',
      );
      if (built?.stderr) console.warn(built.stderr.split('\n').slice(-8).join('\n'));
    }
  }
}
