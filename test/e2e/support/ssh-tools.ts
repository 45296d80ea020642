// What SSH clients that are not OpenSSH's want in a form of their own: keys, and the host key to expect.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { run, temporaryFolder } from '../../support/process.ts';
import type { Contract } from './quickstart.ts';

/** The fingerprint of the first host key in known_hosts, as clients with an option for it take it. */
export async function fingerprintOf({ files }: Contract): Promise<string> {
  const { stdout } = await run('ssh-keygen', ['-l', '-f', files.knownHosts]);
  return stdout.split(' ')[1] as string;
}

/** @returns path of the key in PuTTY's own form */
export async function puttyKey(key: string): Promise<string> {
  const file = join(temporaryFolder(), 'key.ppk');
  expect(await run('puttygen', [key, '-O', 'private', '-o', file])).toMatchObject({ code: 0 });
  return file;
}

/**
 * A program that OpenSSH's scp and sftp can run in place of ssh: the SSH side is then Dropbear's. It knows host keys by the
 * host alone, without a port, and takes keys in a form of its own.
 *
 * @param runs the last argument is a command to run, or the name of a subsystem
 */
export async function dropbearProgram(
  contract: Contract,
  runs: 'command' | 'subsystem',
  key: string | undefined,
): Promise<{ readonly program: string; readonly home: string }> {
  const { host, port } = contract.servers.ssh;
  const home = temporaryFolder();
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  const known = readFileSync(contract.files.knownHosts, 'utf8').replaceAll(`[${host}]:${port}`, host);
  writeFileSync(join(home, '.ssh', 'known_hosts'), known);
  const identity = join(home, 'key');
  if (key !== undefined) {
    const made = await run('dropbearconvert', ['openssh', 'dropbear', key, identity]);
    expect(made).toMatchObject({ code: 0 });
  }
  const options = [
    ...(key === undefined ? [] : ['-i', identity]),
    ...['-p', String(port), '-l', contract.account.name],
    ...(runs === 'subsystem' ? ['-s'] : []),
  ];
  const program = join(home, 'ssh');
  const script = [
    '#!/bin/sh',
    'for last; do :; done',
    `exec dbclient -T ${options.join(' ')} ${host} "$last"`,
  ];
  writeFileSync(program, `${script.join('\n')}\n`, { mode: 0o700 });
  return { program, home };
}

/** lftp's command over OpenSSH's ssh with these arguments, and then these commands of its own. */
export function lftpThroughSsh(
  { servers, account }: Contract,
  sshArguments: readonly string[],
  password: string,
  commands: string,
) {
  const home = temporaryFolder();
  const program = ['ssh', '-a', '-x', ...sshArguments].map((arg) => arg.replaceAll('"', '')).join(' ');
  const script = [
    'set cmd:fail-exit true',
    'set net:max-retries 1',
    'set net:timeout 10',
    `set sftp:connect-program "${program}"`,
    `open -u ${account.name},${password} sftp://${servers.ssh.host}:${servers.ssh.port}`,
    commands,
  ];
  return run('lftp', ['--norc', '-c', script.join('; ')], { env: { HOME: home, LFTP_HOME: home } });
}
