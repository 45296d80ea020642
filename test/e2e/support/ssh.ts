// Stock OpenSSH clients. They always check the host key against a known_hosts file, and read nothing of the user's own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type RunningProcess,
  type RunResult,
  run,
  startProcess,
  temporaryFolder,
} from '../../support/process.ts';
import type { Contract } from './quickstart.ts';

/** How an SSH client logs in. */
export type SshLogin = {
  readonly user?: string;
  /** File of a private key. */
  readonly key?: string;
  readonly password?: string;
  /** Code of a second factor: the answer to every question that speaks of a code. */
  readonly code?: string;
  /** As in `PreferredAuthentications`; what key and password make possible where it is left out. */
  readonly methods?: string;
  /** The contract's where it is left out. */
  readonly knownHosts?: string;
  readonly options?: readonly string[];
};

/** A path as a value of an option: ssh splits it at spaces and expands percent signs. */
const quoted = (path: string): string => `"${path.replaceAll('%', '%%')}"`;

/** ssh runs this to ask for a password or a code: it has no terminal in a test. */
function askPass(password: string, code = ''): Record<string, string> {
  const program = join(temporaryFolder(), 'askpass');
  const script = [
    '#!/bin/sh',
    'case "$1" in',
    '  *code*) printf "%s\\n" "$SALLYPORT_TEST_CODE" ;;',
    '  *) printf "%s\\n" "$SALLYPORT_TEST_PASSWORD" ;;',
    'esac',
  ];
  writeFileSync(program, `${script.join('\n')}\n`, { mode: 0o700 });
  return {
    SSH_ASKPASS: program,
    SSH_ASKPASS_REQUIRE: 'force',
    DISPLAY: 'none',
    SALLYPORT_TEST_PASSWORD: password,
    SALLYPORT_TEST_CODE: code,
  };
}

/** Arguments of OpenSSH's programs for a login, and what their environment needs for it. */
export function sshArguments(
  contract: Contract,
  login: SshLogin,
): { args: string[]; env: Record<string, string> } {
  const { key, password, methods } = login;
  const possible = [...(key ? ['publickey'] : []), ...(password === undefined ? [] : ['password'])];
  const options = {
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: quoted(login.knownHosts ?? contract.files.knownHosts),
    GlobalKnownHostsFile: '/dev/null',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    IdentityFile: key === undefined ? 'none' : quoted(key),
    PreferredAuthentications: methods ?? (possible.join(',') || 'none'),
    NumberOfPasswordPrompts: '1',
    // sftp -b says yes, and would not ask for a password.
    BatchMode: password === undefined ? 'yes' : 'no',
    ConnectTimeout: '10',
    User: login.user ?? contract.account.name,
    Port: String(contract.servers.ssh.port),
  };
  return {
    args: [
      '-F',
      'none',
      ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...(login.options ?? []),
    ],
    env: password === undefined ? {} : askPass(password, login.code),
  };
}

/** Runs sftp with a batch of commands; it ends with 0 only if all of them succeed. */
export function sftp(
  contract: Contract,
  login: SshLogin,
  batch: string,
  timeoutMs?: number,
): Promise<RunResult> {
  const { args, env } = sshArguments(contract, login);
  const options = { env, input: batch, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return run('sftp', [...args, '-b', '-', contract.servers.ssh.host], options);
}

/** Starts sftp with a batch and lets it run. */
export function startSftp(contract: Contract, login: SshLogin, batch: string): RunningProcess {
  const { args, env } = sshArguments(contract, login);
  const running = startProcess('sftp', [...args, '-b', '-', contract.servers.ssh.host], { env });
  running.child.stdin?.on('error', () => {});
  running.child.stdin?.end(batch);
  return running;
}

/** An sftp session that stays open, as a person's does. */
export interface OpenSftp {
  readonly running: RunningProcess;
  /** Asks the server for something and resolves when it is answered; rejects when the session has ended. */
  readonly works: () => Promise<void>;
  /** Ends it in order. */
  readonly close: () => Promise<number | null>;
}

/** Logs in and keeps the session. Rejects when the login is refused. */
export async function openSftp(contract: Contract, login: SshLogin): Promise<OpenSftp> {
  const { args, env } = sshArguments(contract, login);
  const running = startProcess('sftp', [...args, contract.servers.ssh.host], { env });
  running.child.stdin?.on('error', () => {});
  const answers = () => running.stdout().split('Remote working directory').length - 1;
  const session: OpenSftp = {
    running,
    works: () => {
      const before = answers();
      // `pwd` alone is answered from memory; `cd` asks the server.
      running.child.stdin?.write('cd .\npwd\n');
      return new Promise((resolve, reject) => {
        const look = () => answers() > before && resolve();
        running.child.stdout?.on('data', look);
        running.exited.then(
          (code) => reject(new Error(`the session has ended with ${code}: ${running.stderr()}`)),
          reject,
        );
      });
    },
    close: () => {
      running.child.stdin?.end('bye\n');
      return running.exited;
    },
  };
  await session.works();
  return session;
}
