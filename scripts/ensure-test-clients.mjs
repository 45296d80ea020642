// Before the tests: the Node, the client programs and the native SSH binding that they need are there, or are brought.
// A test that cannot run is a failure, never a skip, so what cannot be brought ends it here with a list.
// Runs under Node 20 too, since that may be what is there when something is missing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { requireNode } from './node-version.mjs';
import { sallyportRuntime, sshBindingFolder, sshBindingLoads } from './ssh-binding.mjs';
import { installCommands, isOnPath, missingModules, missingPackages } from './test-clients.mjs';

requireNode();

const path = process.env.PATH ?? '';
const missing = [...missingPackages(path), ...missingModules()];
if (missing.length > 0) {
  const root = process.getuid?.() === 0;
  const commands = installCommands(missing, {
    aptGet: isOnPath('apt-get', path),
    root,
    passwordlessSudo:
      !root && isOnPath('sudo', path) && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0,
  });
  if (!commands) fail(`the tests need these packages, install them: ${missing.join(' ')}`);
  console.log(`sallyport: installing for the tests: ${missing.join(' ')}`);
  for (const [command = '', ...args] of commands) {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) {
      console.error(`${stdout ?? ''}${stderr ?? ''}`.split('\n').slice(-15).join('\n'));
      fail(`\`${[command, ...args].join(' ')}\` failed; install by hand: ${missing.join(' ')}`);
    }
  }
  const still = [...missingPackages(path), ...missingModules()];
  if (still.length > 0) fail(`installed, but not to be found: ${still.join(' ')}`);
}

const folder = sshBindingFolder();
const { executable } = sallyportRuntime();
if (!folder) fail('ssh2 is not installed; run `npm ci`');
if (!sshBindingLoads(executable, folder)) {
  spawnSync(executable, [join(import.meta.dirname, 'build-ssh-binding.mjs')], { stdio: 'inherit' });
  if (!sshBindingLoads(executable, folder)) {
    fail('the native SSH binding does not load; see above, and run this through npm (npm test)');
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(`sallyport: ${message}`);
  process.exit(1);
}
