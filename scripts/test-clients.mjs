// Which programs the tests need, and how a machine that lacks some gets them.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program that must be on PATH -> Debian package that brings it. The last three build the SSH binding. */
const packageOfProgram = {
  ssh: 'openssh-client',
  sftp: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  curl: 'curl',
  lftp: 'lftp',
  openssl: 'openssl',
  puttygen: 'putty-tools',
  certtool: 'gnutls-bin',
  'ssh-audit': 'ssh-audit',
  testssl: 'testssl.sh',
  sslscan: 'sslscan',
  dbclient: 'dropbear-bin',
  psftp: 'putty-tools',
  rclone: 'rclone',
  ncftpget: 'ncftp',
  tnftp: 'tnftp',
  sshfs: 'sshfs',
  chromium: 'chromium',
  cadaver: 'cadaver',
  python3: 'python3',
  make: 'make',
  'g++': 'g++',
};

/** Module of the system's Python that must be there -> Debian package that brings it. */
const packageOfModule = { paramiko: 'python3-paramiko', asyncssh: 'python3-asyncssh' };
const systemModules = '/usr/lib/python3/dist-packages';

/**
 * Packages whose modules the system's Python has not, in a fixed order.
 *
 * @param {string} [folder] where Debian puts them
 * @returns {string[]}
 */
export const missingModules = (folder = systemModules) =>
  Object.entries(packageOfModule)
    .filter(([module]) => !existsSync(join(folder, module)))
    .map(([, name]) => name);

/**
 * Packages whose programs are not on the path, in a fixed order and without repetition.
 *
 * @param {string} path as in the environment variable PATH
 * @returns {string[]}
 */
export function missingPackages(path) {
  const missing = Object.entries(packageOfProgram)
    .filter(([program]) => !isOnPath(program, path))
    .map(([, name]) => name);
  return [...new Set(missing)];
}

/**
 * Is there an executable file of that name on the path?
 *
 * @param {string} program
 * @param {string} path as in the environment variable PATH
 */
export function isOnPath(program, path) {
  return path.split(delimiter).some((folder) => {
    try {
      const file = join(folder, program);
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/**
 * Commands that install the packages, each an argument vector, or undefined where this user or system cannot.
 *
 * @param {readonly string[]} packages
 * @param {{ aptGet: boolean, root: boolean, passwordlessSudo: boolean }} machine what the machine and its user can do
 * @returns {string[][] | undefined}
 */
export function installCommands(packages, { aptGet, root, passwordlessSudo }) {
  if (!aptGet || !(root || passwordlessSudo)) return undefined;
  const prefix = root ? [] : ['sudo', '-n'];
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y'];
  return [
    [...apt, 'update'],
    [...apt, 'install', '--no-install-recommends', ...packages],
  ];
}
