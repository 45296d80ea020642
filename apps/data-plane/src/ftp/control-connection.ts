import type { Socket } from 'node:net';
import {
  type ControlEffect,
  type ControlEvent,
  type ControlRules,
  type ControlState,
  faultReply,
  initialState,
  operate,
  reply,
  type Step,
  step,
  type Transfer,
} from '@sallyport/ftp';
import type { FtpServer } from '@sallyport/model';
import type { CredentialFact } from '@sallyport/policy';
import type { AdapterContext } from '../adapter.ts';
import { plainAddress } from '../front-door.ts';
import type { CredentialStands, LoginAttempt, LoginOutcome } from '../login.ts';
import type { Session } from '../session.ts';
import type { TlsAcceptor, TlsOutcome } from '../tls/acceptor.ts';
import type { RunningServer } from '../zone-view.ts';
import { passiveAddress } from './address.ts';
import { type ControlLink, createControlLink } from './control-link.ts';
import { openDataConnection } from './data-connection.ts';
import type { PassivePort, PassivePorts } from './passive-ports.ts';
import { runTransfer } from './transfer.ts';

/** What a control connection is served with. */
export type ControlMeans = {
  readonly context: AdapterContext;
  /** The definition that the connection came in under. */
  readonly accepted: RunningServer<FtpServer>;
  /** The definition in force, for passive ports and addresses. */
  readonly running: () => RunningServer<FtpServer>;
  readonly acceptor: TlsAcceptor | undefined;
  readonly ports: PassivePorts;
};

type Secured = TlsOutcome & { kind: 'open' };

/**
 * Serves one control connection to its end. Never rejects.
 *
 * @param raw just accepted, nothing read
 */
export async function serveControl(raw: Socket, means: ControlMeans): Promise<void> {
  const connection = new ControlConnection(raw, means);
  try {
    await connection.serve();
  } catch {
    // A bug of ours ends the connection that met it, and no other.
    connection.fail();
  } finally {
    connection.cleanUp();
  }
}

class ControlConnection {
  readonly #raw: Socket;
  readonly #means: ControlMeans;
  readonly #server: FtpServer;
  readonly #source: string;
  readonly #local: string;
  #link: ControlLink | undefined;
  #state: ControlState;
  #attempt: LoginAttempt | undefined;
  #session: Session | undefined;
  #secured: Secured | undefined;
  #port: PassivePort | undefined;
  #transfer: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(raw: Socket, means: ControlMeans) {
    this.#raw = raw;
    this.#means = means;
    this.#server = means.accepted.server;
    this.#source = plainAddress(raw.remoteAddress);
    this.#local = plainAddress(raw.localAddress);
    const { ftp, limits } = this.#server;
    const rules: ControlRules = {
      authTls: ftp.explicitTls && !ftp.implicitTls ? 'offered' : 'unavailable',
      clearLogin: ftp.plain ? 'by-policy' : 'refused',
      maxAuthAttempts: limits.maxAuthAttempts,
    };
    this.#state = initialState(rules, ftp.implicitTls ? 'encrypted' : 'clear');
  }

  async serve(): Promise<void> {
    this.#timer = setTimeout(() => this.#expire(), this.#server.limits.loginGraceSeconds * 1_000);
    let socket = this.#raw;
    if (this.#server.ftp.implicitTls) {
      const outcome = await this.#secure(this.#raw);
      if (!outcome) return;
      socket = outcome.socket;
    } else {
      this.#openAttempt('clear', { kind: 'none' });
    }
    const link = createControlLink({
      socket,
      onLine: (line) => {
        if (this.#session) this.#timer?.refresh();
        // ABOR overtakes the lines that wait behind a transfer; its own reply keeps its place among them.
        if (line.kind === 'line' && /^abor\s*$/i.test(line.text)) this.#transfer?.abort();
      },
      onClose: () => this.#transfer?.abort(),
    });
    this.#link = link;
    if (this.#secured && this.#turnedAway(this.#secured, link)) return;
    await link.send(reply(220, ...(this.#server.banner ?? 'Ready.').split(/\r?\n/)));
    for (let line = await link.next(); line; line = await link.next()) {
      const event: ControlEvent =
        line.kind === 'line' ? { kind: 'line', text: line.text } : { kind: 'bad-line', why: line.kind };
      await this.#perform(step(this.#state, event), link);
    }
  }

  fail(): void {
    this.#link?.farewell(faultReply('service-refusing'));
    this.#notice('failed', 'internal');
  }

  cleanUp(): void {
    clearTimeout(this.#timer);
    this.#port?.close();
    this.#session?.ended.removeEventListener('abort', this.#onEnded);
    this.#session?.close();
    if (this.#link) this.#link.farewell();
    else this.#raw.destroy();
  }

  /** The time to log in is over, or the idle time between two commands. A transfer has its own idle time. */
  #expire(): void {
    if (this.#transfer) {
      this.#timer?.refresh();
      return;
    }
    if (this.#link) this.#link.farewell(reply(421, 'Timeout.'));
    else this.#raw.destroy();
  }

  readonly #onEnded = (): void => {
    this.#transfer?.abort();
    this.#link?.farewell(reply(421, 'The session was ended.'));
  };

  #notice(outcome: 'refused' | 'failed', reason: string): void {
    this.#means.context.notice({
      kind: 'listener',
      server: this.#server.id,
      source: this.#source,
      outcome,
      reason,
    });
  }

  #openAttempt(channel: 'clear' | 'encrypted', credential: CredentialFact, stands?: CredentialStands): void {
    const { login } = this.#means.context;
    this.#attempt = login.open({ server: this.#server.id, source: this.#source, channel });
    if (channel === 'encrypted') this.#attempt.tlsCredential(credential, stands);
  }

  /** Runs the TLS handshake and opens a login attempt with what it proved; the raw socket is gone where it fails. */
  async #secure(socket: Socket): Promise<Secured | undefined> {
    const outcome: TlsOutcome = this.#means.acceptor
      ? await this.#means.acceptor.secure(socket, this.#source)
      : { kind: 'failed', reason: 'identity-unusable' };
    if (outcome.kind === 'failed') {
      // A health check connects, says nothing and leaves: no line for each.
      if (socket.bytesRead > 0) this.#notice('failed', outcome.reason);
      socket.destroy();
      return undefined;
    }
    outcome.socket.once('close', () => this.#raw.destroy());
    this.#secured = outcome;
    this.#openAttempt('encrypted', outcome.credential, outcome.credentialStands);
    return outcome;
  }

  /** A required listener says 421 before it reads a command (design section 4). */
  #turnedAway({ admission, credential }: Secured, link: ControlLink): boolean {
    if (admission.kind === 'proceed') return false;
    // Of one that is not acceptable the acceptor has told, with the reason.
    if (credential.kind !== 'invalid') this.#notice('refused', admission.reason);
    link.farewell(faultReply('certificate-required'));
    return true;
  }

  async #perform(next: Step, link: ControlLink): Promise<void> {
    this.#state = next.state;
    for (const effect of next.effects) {
      const answered = await this.#run(effect, link);
      if (answered) await this.#perform(step(this.#state, answered), link);
    }
  }

  /** @returns the event that answers the effect, where one does */
  async #run(effect: ControlEffect, link: ControlLink): Promise<ControlEvent | undefined> {
    switch (effect.kind) {
      case 'reply':
        await link.send(effect.reply);
        return undefined;
      case 'close':
        link.farewell();
        return undefined;
      case 'close-data':
        this.#closePort();
        return undefined;
      case 'secure':
        return this.#upgrade(link);
      case 'name':
        return this.#loggedIn('name', await this.#attempt?.name(effect.user));
      case 'password':
        return this.#loggedIn('password', await this.#attempt?.password(effect.user, effect.password));
      case 'listen':
        return this.#admits(link) ? this.#listen(effect.form, effect.family) : undefined;
      case 'operate':
        return this.#operate(effect.command, link);
      case 'transfer':
        await this.#runTransfer(effect.transfer, link);
        return undefined;
    }
  }

  async #upgrade(link: ControlLink): Promise<ControlEvent | undefined> {
    const outcome = await this.#secure(link.release());
    if (!outcome) {
      link.destroy();
      return undefined;
    }
    link.adopt(outcome.socket);
    return this.#turnedAway(outcome, link) ? undefined : { kind: 'secured' };
  }

  #loggedIn(asked: 'name' | 'password', outcome: LoginOutcome | undefined): ControlEvent {
    switch (outcome?.kind) {
      case undefined:
        return { kind: 'login', asked, outcome: 'refused', fault: 'service-refusing' };
      case 'continue':
        return { kind: 'login', asked, outcome: 'continue' };
      case 'refused':
        return { kind: 'login', asked, outcome: 'refused', fault: outcome.fault };
      case 'admitted':
        this.#session = outcome.session;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#expire(), this.#server.limits.idleSeconds * 1_000);
        if (outcome.session.ended.aborted) this.#onEnded();
        else outcome.session.ended.addEventListener('abort', this.#onEnded);
        return { kind: 'login', asked, outcome: 'admitted' };
    }
  }

  /** May something new begin? A draining server lets go of its clients here. */
  #admits(link: ControlLink): boolean {
    if (this.#session?.admitsOperations()) return true;
    link.farewell(faultReply('service-refusing'));
    return false;
  }

  #closePort(): void {
    this.#port?.close();
    this.#port = undefined;
  }

  async #listen(form: 'PASV' | 'EPSV', family: 'any' | 4 | 6): Promise<ControlEvent> {
    this.#closePort();
    const running = this.#means.running();
    const ours = this.#local.includes(':') ? 6 : 4;
    if (family !== 'any' && family !== ours) return { kind: 'not-listening', why: 'wrong-family' };
    const address =
      form === 'EPSV' || !this.#session ? this.#local : passiveAddress(running, this.#session, this.#local);
    if (address === undefined) return { kind: 'not-listening', why: 'wrong-family' };
    this.#port = await this.#means.ports.open({
      range: running.passiveRange ?? running.server.ftp.passive,
      host: this.#local,
      peer: this.#source,
      holder: this.#session?.account.id ?? '',
    });
    return this.#port
      ? { kind: 'listening', endpoint: { form, address, port: this.#port.port } }
      : { kind: 'not-listening', why: 'no-port' };
  }

  async #operate(
    command: (ControlEffect & { kind: 'operate' })['command'],
    link: ControlLink,
  ): Promise<ControlEvent | undefined> {
    if (!this.#session || !this.#admits(link)) return undefined;
    return { kind: 'operated', command, result: await operate(this.#session.files, command) };
  }

  async #runTransfer(transfer: Transfer, link: ControlLink): Promise<void> {
    const session = this.#session;
    const port = this.#port;
    this.#port = undefined;
    if (!session || !port || !this.#admits(link)) {
      port?.close();
      return;
    }
    const abort = new AbortController();
    this.#transfer = abort;
    if (link.socket.destroyed) abort.abort();
    const { ftp, limits } = this.#server;
    const secure = transfer.protection === 'private' ? this.#secured?.secureData : undefined;
    if (transfer.protection === 'private' && !secure) throw new Error('a protected transfer without TLS');
    try {
      const last = await runTransfer(transfer, {
        session,
        now: this.#means.context.now(),
        // Not waited for: a client that reads no replies must not keep a transfer from its own time limits.
        announce: (given) => void link.send(given),
        connect: (direction) =>
          openDataConnection({
            port,
            watch: direction === 'in' && ftp.closeNotify === 'required' ? 'closure-alert' : 'nothing',
            secure,
            idleMs: limits.idleSeconds * 1_000,
            signal: abort.signal,
          }),
      });
      this.#transfer = undefined;
      this.#timer?.refresh();
      await link.send(last);
    } finally {
      this.#transfer = undefined;
      port.close();
    }
  }
}
