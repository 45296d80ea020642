import type { Socket } from 'node:net';
import type { SshServer } from '@sallyport/model';
import { firstSshMethods } from '@sallyport/policy';
import { parseScpCommand } from '@sallyport/sftp';
import type { LoginAttempt } from '../login.ts';
import type { Session } from '../session.ts';
import { Authentication } from './authentication.ts';
import type { ByteChannel } from './channel.ts';
import type { ConnectionNotice, ConnectionRecord } from './connection-record.ts';
import type { SshEngine } from './engine.ts';
import type { SshLink } from './link.ts';
import { serveScp } from './scp-channel.ts';
import { type FileChannel, type FileChannelOptions, serveSftp } from './sftp-channel.ts';

export type SshConnectionOptions = {
  readonly socket: Socket;
  readonly engine: SshEngine;
  /** The definition that was in force when the client came; its limits hold for the whole connection. */
  readonly server: SshServer;
  readonly attempt: LoginAttempt;
  readonly record: ConnectionRecord;
  readonly notice: ConnectionNotice;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/**
 * One client from accept to close: login within its grace, then its session until the client goes, idles too long
 * or is ended from our side. Whatever it does ends its own connection at most.
 */
export class SshConnection {
  readonly #options: SshConnectionOptions;
  readonly #authentication: Authentication;
  readonly #channels = new Set<FileChannel>();
  #link: SshLink | undefined;
  #session: Session | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #lastActivity = 0;
  readonly #onSessionEnded = () => this.#end();

  constructor(options: SshConnectionOptions) {
    this.#options = options;
    const { socket, engine, server, attempt, record } = options;
    this.#authentication = new Authentication({
      attempt,
      firstMethods: firstSshMethods(server.clientCertificate),
      maxFailures: server.limits.maxAuthAttempts,
      onAdmitted: (session) => this.#admitted(session),
      onForsaken: () => this.#options.socket.destroy(),
      onExhausted: () => this.#link?.disconnect('noMoreAuthMethods'),
    });
    this.#graceTimer = setTimeout(() => socket.destroy(), server.limits.loginGraceSeconds * 1000);
    socket.on('error', () => {});
    socket.once('close', () => void this.#closed());
    engine.serve(
      socket,
      {
        identified: (line) => record.identified(line),
        offered: (offered) => record.offered(offered),
        negotiated: (negotiated) => record.negotiated(negotiated),
        hostKeysProved: (fingerprints) => this.#proved(fingerprints),
        authentication: (exchange) =>
          // A login that cannot be judged ends here; its client must not wait for an answer.
          void this.#authentication.handle(exchange).catch(() => socket.destroy()),
        subsystem: (name, accept) => this.#subsystem(name, accept),
        exec: (command, accept) => this.#exec(command, accept),
      },
      (link) => {
        this.#link = link;
      },
    );
  }

  #admitted(session: Session): void {
    clearTimeout(this.#graceTimer);
    if (this.#options.socket.destroyed) {
      session.close();
      return;
    }
    this.#session = session;
    this.#lastActivity = performance.now();
    this.#watchIdleness();
    session.ended.addEventListener('abort', this.#onSessionEnded, { once: true });
    if (session.ended.aborted) this.#end();
  }

  /** The client knows these host keys from now on. */
  #proved(fingerprints: readonly string[]): void {
    if (!this.#session) return;
    this.#options.notice({
      kind: 'host-key',
      account: this.#session.account.name,
      outcome: 'completed',
      detail: { ...this.#options.record.loginDetail(), fingerprints: fingerprints.join(',') },
    });
  }

  #subsystem(name: string, accept: () => ByteChannel | undefined): void {
    if (name === 'sftp' && this.#options.server.ssh.sftp) this.#serve(accept, serveSftp);
  }

  /** There is no shell: what an scp client would have it run is done by us, and nothing else is. */
  #exec(command: string, accept: () => ByteChannel | undefined): void {
    const scp = this.#options.server.ssh.scp ? parseScpCommand(command) : undefined;
    if (scp?.ok) this.#serve(accept, (options) => serveScp(options, scp.value));
  }

  #serve(accept: () => ByteChannel | undefined, serve: (options: FileChannelOptions) => FileChannel): void {
    const session = this.#session;
    if (!session || session.ended.aborted) return;
    const channel = accept();
    if (!channel) return;
    const onActivity = () => {
      this.#lastActivity = performance.now();
    };
    const served = serve({ channel, session, now: this.#options.now, onActivity });
    this.#channels.add(served);
    void served.closed.then(() => this.#channels.delete(served));
  }

  /** Ends the connection when nothing has moved for the idle time; keep-alives of the transport do not count. */
  #watchIdleness(): void {
    const limit = this.#options.server.limits.idleSeconds * 1000;
    const idle = performance.now() - this.#lastActivity;
    if (idle >= limit) this.#end();
    else this.#idleTimer = setTimeout(() => this.#watchIdleness(), limit - idle);
  }

  #end(): void {
    for (const channel of this.#channels) channel.abort();
    if (this.#link) this.#link.disconnect('byApplication');
    else this.#options.socket.destroy();
  }

  async #closed(): Promise<void> {
    this.#options.record.closed();
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#idleTimer);
    const session = this.#session;
    if (!session) return;
    session.ended.removeEventListener('abort', this.#onSessionEnded);
    const channels = [...this.#channels];
    for (const channel of channels) channel.abort();
    await Promise.all(channels.map((channel) => channel.closed));
    session.close();
  }
}
