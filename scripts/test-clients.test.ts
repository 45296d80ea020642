import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run, temporaryFolder } from '../test/support/process.ts';
import { installCommands, isOnPath, missingModules, missingPackages } from './test-clients.mjs';

/** A folder with executable files of these names. */
function folderWith(...programs: string[]): string {
  const folder = temporaryFolder();
  for (const program of programs)
    writeFileSync(join(folder, program), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return folder;
}

test('a package is missing while one of its programs is', () => {
  const most = folderWith(
    'ssh',
    'ssh-keygen',
    'curl',
    'openssl',
    'puttygen',
    'certtool',
    'ssh-audit',
    'testssl',
    'sslscan',
    'dbclient',
    'psftp',
    'rclone',
    'ncftpget',
    'tnftp',
    'sshfs',
    'chromium',
    'cadaver',
    'python3',
    'make',
  );
  expect(missingPackages(`/nowhere:${most}`)).toEqual(['openssh-client', 'lftp', 'g++']);
  expect(missingPackages(`${most}:${folderWith('sftp', 'lftp', 'g++')}`)).toEqual([]);
});

test('a package is missing while its Python module is', () => {
  const modules = temporaryFolder();
  mkdirSync(join(modules, 'paramiko'));
  expect(missingModules(modules)).toEqual(['python3-asyncssh']);
});

test('a folder or a file that cannot be executed is no program', () => {
  const folder = folderWith('curl', 'lftp');
  chmodSync(join(folder, 'lftp'), 0o644);
  mkdirSync(join(folder, 'make'));
  expect(['curl', 'lftp', 'make'].map((program) => isOnPath(program, folder))).toEqual([true, false, false]);
});

test('packages are installed by root or by sudo without a password, with apt-get only', () => {
  const root = installCommands(['lftp'], { aptGet: true, root: true, passwordlessSudo: false });
  const sudo = installCommands(['lftp'], { aptGet: true, root: false, passwordlessSudo: true });
  expect(root?.map((command) => command.at(-1))).toEqual(['update', 'lftp']);
  expect(root?.[0]?.[0]).toBe('env');
  expect(sudo?.map((command) => command.slice(0, 2))).toEqual([
    ['sudo', '-n'],
    ['sudo', '-n'],
  ]);
  expect(installCommands(['lftp'], { aptGet: true, root: false, passwordlessSudo: false })).toBeUndefined();
  expect(installCommands(['lftp'], { aptGet: false, root: true, passwordlessSudo: true })).toBeUndefined();
});

const script = resolve(import.meta.dirname, 'ensure-test-clients.mjs');

test('says nothing and is quick when all is there', async () => {
  expect(await run(process.execPath, [script])).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('names what is missing and fails where it cannot install', async () => {
  const { code, stderr } = await run(process.execPath, [script], {
    env: { PATH: folderWith('curl', 'ssh') },
  });
  expect(code).toBe(1);
  expect(stderr).toContain(
    'install them: openssh-client lftp openssl putty-tools gnutls-bin ssh-audit testssl.sh sslscan dropbear-bin rclone ncftp tnftp sshfs chromium cadaver python3 make g++',
  );
});

/** A path with all but one program, and an `apt-get` that logs what it is asked and, if it is a good one, brings it. */
function machine(aptGet: 'brings it' | 'fails') {
  const folder = folderWith(
    'ssh',
    'sftp',
    'ssh-keygen',
    'curl',
    'openssl',
    'puttygen',
    'certtool',
    'ssh-audit',
    'testssl',
    'sslscan',
    'dbclient',
    'psftp',
    'rclone',
    'ncftpget',
    'tnftp',
    'sshfs',
    'chromium',
    'cadaver',
    'python3',
    'make',
    'g++',
  );
  for (const program of ['env', 'cp', 'chmod']) symlinkSync(`/usr/bin/${program}`, join(folder, program));
  const bring =
    aptGet === 'fails' ? 'echo no such package >&2; exit 100' : `cp '${folder}/curl' '${folder}/lftp'`;
  const scripts = {
    'apt-get': `echo "$*" >> '${folder}/log'\ncase "$*" in *install*) ${bring};; esac`,
    sudo: 'shift; exec "$@"',
  };
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return folder;
}

test('updates the package lists once and installs what is missing', async () => {
  const folder = machine('brings it');
  const { code, stdout } = await run(process.execPath, [script], { env: { PATH: folder } });
  expect([code, stdout]).toEqual([0, 'sallyport: installing for the tests: lftp\n']);
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe(
    '-q -y update\n-q -y install --no-install-recommends lftp\n',
  );
});

test('fails when the installation fails', async () => {
  const { code, stderr } = await run(process.execPath, [script], { env: { PATH: machine('fails') } });
  expect(code).toBe(1);
  expect(stderr).toContain('no such package');
  expect(stderr).toContain('install by hand: lftp');
});
