// Makes ssh2's native binding fit the Node that runs Sallyport.
//
// The packaged Node (node_modules/node) differs from the system's, and an add-on compiled against the
// system's headers does not load: ssh2 then falls back to JavaScript at half the speed without a word.
// So: load the binding under the Node that will run it; if that fails, build it against that Node's own headers.
// Always exits 0: without a compiler Sallyport still runs, with one warning at start.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { opensslFlag, sallyportRuntime, sshBindingFolder, sshBindingLoads } from './ssh-binding.mjs';

const objectWrap = resolve(import.meta.dirname, 'ssh-binding-object-wrap.h');
const folder = sshBindingFolder();
const { executable, headers } = sallyportRuntime();
if (folder && !sshBindingLoads(executable, folder)) {
  const nodeGyp = process.env.npm_config_node_gyp;
  const built =
    nodeGyp &&
    spawnSync(executable, [nodeGyp, 'rebuild', '--release', opensslFlag(executable)], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        CXXFLAGS: `${process.env.CXXFLAGS ?? ''} -include ${JSON.stringify(objectWrap)}`,
        ...(headers ? { npm_config_nodedir: headers } : {}),
      },
    });
  if (!sshBindingLoads(executable, folder)) {
    console.warn(
      'sallyport: the native SSH binding could not be built; SSH will run in JavaScript at about half the speed.\n' +
        '  Install python3, make and g++, then run: npm run postinstall',
    );
    if (built?.stderr) console.warn(built.stderr.split('\n').slice(-8).join('\n'));
  }
}
