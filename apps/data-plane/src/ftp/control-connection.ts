import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ControlEffect,
  type ControlEvent,
  type ControlRules,
  type ControlState,
  faultReply,
  initialState,
  operate,
  type ReadLine,
  reply,
  type Step,
  step,
  type Transfer,
} from '@sallyport/ftp';
import type { FtpServer } from '@sallyport/model';
import type { AdapterContext } from '../adapter.ts';
import { plainAddress } from '../front-door.ts';
import type { Session } from '../session.ts';
import type { TlsAcceptor, TlsOutcome } from '../tls/acceptor.ts';
import type { DataTlsOutcome } from '../tls/secure-data.ts';
import type { RunningServer } from '../zone-view.ts';
import { type ControlLink, createControlLink } from './control-link.ts';
import { DataSide } from './data-side.ts';
import { LoginSide } from './login-side.ts';
import type { PassivePorts } from './passive-ports.ts';

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
  #link: ControlLink | undefined;
  #state: ControlState;
  readonly #login: LoginSide;
  #secured: Secured | undefined;
  readonly #data: DataSide;
  #timer: NodeJS.Timeout | undefined;
  /** An answer out of turn is on its way. */
  #tellsStatus = false;

  constructor(raw: Socket, means: ControlMeans) {
    this.#raw = raw;
    this.#means = means;
    this.#server = means.accepted.server;
    this.#source = plainAddress(raw.remoteAddress);
    const { id, ftp, limits } = this.#server;
    this.#login = new LoginSide(means.context.login, { server: id, source: this.#source }, () =>
      this.#ended(),
    );
    this.#data = new DataSide({
      running: means.running,
      ports: means.ports,
      peer: this.#source,
      local: plainAddress(raw.localAddress),
      limits,
      closeNotify: ftp.closeNotify,
      now: means.context.now,
    });
    const rules: ControlRules = {
      authTls: ftp.explicitTls && !ftp.implicitTls ? 'offered' : 'unavailable',
      clearLogin: ftp.plain ? 'by-policy' : 'refused',
      maxAuthAttempts: limits.maxAuthAttempts,
      nameEncoding: ftp.nameEncoding,
    };
    this.#state = initialState(rules, ftp.implicitTls ? 'encrypted' : 'clear');
  }

  async serve(): Promise<void> {
    this.#startTimer(this.#server.limits.loginGraceSeconds);
    let socket = this.#raw;
    if (this.#server.ftp.implicitTls) {
      const outcome = await this.#secure(this.#raw);
      if (!outcome) return;
      socket = outcome.socket;
      this.#state = initialState(this.#state.rules, 'encrypted', serverNameOf(outcome));
    } else {
      this.#login.openClear();
    }
    const link = createControlLink({
      socket,
      encoding: () => this.#state.encoding,
      onLine: (line, waiting) => this.#overtakes(line, waiting),
      onClose: () => this.#data.abort(),
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

  /** What does not wait behind a transfer: ABOR, whose own reply keeps its place, and STAT where no line is before it. */
  #overtakes(line: ReadLine, waiting: number): 'taken' | 'waits' {
    if (this.#login.session) this.#timer?.refresh();
    if (line.kind !== 'line') return 'waits';
    if (/^abor\s*$/i.test(line.text)) this.#data.abort();
    if (waiting > 0 || !this.#link || !/^stat\s*$/i.test(line.text)) return 'waits';
    const status = this.#data.status();
    // One at a time: a client that asks and asks and reads no answer would fill our memory with them.
    if (!status || this.#tellsStatus) return 'waits';
    this.#tellsStatus = true;
    void this.#link.send(status).then(() => {
      this.#tellsStatus = false;
    });
    return 'taken';
  }

  fail(): void {
    this.#link?.farewell(faultReply('service-refusing'));
    this.#notice('failed', 'internal');
  }

  cleanUp(): void {
    clearTimeout(this.#timer);
    this.#data.closePort();
    this.#login.logOut();
    if (this.#link) this.#link.farewell();
    else this.#raw.destroy();
  }

  /** The time to log in is over, or the idle time between two commands. A transfer has its own idle time. */
  #expire(): void {
    if (this.#data.busy) {
      this.#timer?.refresh();
      return;
    }
    if (this.#link) this.#link.farewell(reply(421, 'Timeout.'));
    else this.#raw.destroy();
  }

  #ended(): void {
    this.#data.abort();
    this.#link?.farewell(reply(421, 'The session was ended.'));
  }

  #notice(outcome: 'refused' | 'failed', reason: string, account?: string): void {
    this.#means.context.notice({
      kind: 'listener',
      server: this.#server.id,
      source: this.#source,
      ...(account === undefined ? {} : { account }),
      outcome,
      reason,
    });
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
    this.#login.openEncrypted(outcome);
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
        this.#data.closePort();
        return undefined;
      case 'secure':
        return this.#upgrade(link);
      case 'name':
      case 'password':
      case 'second-factor':
        return this.#ask(effect);
      case 'listen':
        return this.#admits(link) ? this.#data.listen(effect, this.#login.session) : undefined;
      case 'aim':
        return this.#admits(link) ? this.#data.aim(effect) : undefined;
      case 'hash':
        return this.#login.session && this.#admits(link)
          ? this.#data.hash(effect, this.#login.session)
          : undefined;
      case 'log-out':
        this.#startOver();
        return undefined;
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
    return this.#turnedAway(outcome, link) ? undefined : { kind: 'secured', ...named(serverNameOf(outcome)) };
  }

  async #ask(question: Parameters<LoginSide['ask']>[0]): Promise<ControlEvent> {
    const answer = await this.#login.ask(question);
    const { session } = this.#login;
    if (answer.outcome === 'admitted' && session) {
      this.#secured?.bindTo(session.account.id);
      this.#startTimer(this.#server.limits.idleSeconds);
    }
    return answer;
  }

  /** After REIN, in clear: nobody is logged in, and the time to log in begins anew. */
  #startOver(): void {
    // Who has not logged in gets no more time by it.
    if (this.#login.session) this.#startTimer(this.#server.limits.loginGraceSeconds);
    this.#login.logOut();
    this.#login.openClear();
  }

  #startTimer(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire(), seconds * 1_000);
  }

  /** May something new begin? A draining server lets go of its clients here. */
  #admits(link: ControlLink): boolean {
    if (this.#login.session?.admitsOperations()) return true;
    link.farewell(faultReply('service-refusing'));
    return false;
  }

  async #operate(
    command: (ControlEffect & { kind: 'operate' })['command'],
    link: ControlLink,
  ): Promise<ControlEvent | undefined> {
    const { session } = this.#login;
    if (!session || !this.#admits(link)) return undefined;
    return {
      kind: 'operated',
      command,
      result: await operate(session.files, command, this.#means.context.now()),
    };
  }

  /** How data connections of the session are secured; one that comes with another's TLS session is told of. */
  #secureData(session: Session): ((socket: Duplex) => Promise<DataTlsOutcome>) | undefined {
    const secured = this.#secured;
    if (!secured) return undefined;
    return async (socket) => {
      const outcome = await secured.secureData(socket, session.account.id);
      if (outcome.kind === 'refused') this.#notice('refused', outcome.reason, session.account.name);
      return outcome;
    };
  }

  async #runTransfer(transfer: Transfer, link: ControlLink): Promise<void> {
    const { session } = this.#login;
    if (!session || !this.#admits(link)) {
      this.#data.closePort();
      return;
    }
    const secure = transfer.protection === 'private' ? this.#secureData(session) : undefined;
    if (transfer.protection === 'private' && !secure) throw new Error('a protected transfer without TLS');
    const last = await this.#data.transfer(transfer, {
      session,
      secure,
      // Not waited for: a client that reads no replies must not keep a transfer from its own time limits.
      announce: (given) => void link.send(given),
      gone: link.socket.destroyed,
    });
    this.#timer?.refresh();
    if (last) await link.send(last);
  }
}

/** The name that the client asked for in its handshake. */
const serverNameOf = ({ socket }: Secured): string | undefined => socket.servername || undefined;

const named = (serverName: string | undefined): { serverName?: string } =>
  serverName === undefined ? {} : { serverName };
