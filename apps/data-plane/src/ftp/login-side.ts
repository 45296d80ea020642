import type { ControlEffect, ControlEvent } from '@sallyport/ftp';
import type { LoginAttempt, LoginDesk, LoginOutcome } from '../login.ts';
import type { Session } from '../session.ts';
import type { TlsOutcome } from '../tls/acceptor.ts';

/** The effects that ask the login desk. */
type Question = ControlEffect & { kind: 'name' | 'password' | 'second-factor' };

/** The login side of a control connection: its attempt, and the session that came of it. */
export class LoginSide {
  readonly #desk: LoginDesk;
  readonly #doorway: { readonly server: string; readonly source: string };
  readonly #onEnded: () => void;
  #attempt: LoginAttempt | undefined;
  #session: Session | undefined;

  /** @param onEnded the session was ended from our side */
  constructor(
    desk: LoginDesk,
    doorway: { readonly server: string; readonly source: string },
    onEnded: () => void,
  ) {
    this.#desk = desk;
    this.#doorway = doorway;
    this.#onEnded = onEnded;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** A connection in clear begins to log in. */
  openClear(): void {
    this.#attempt = this.#desk.open({ ...this.#doorway, channel: 'clear' });
  }

  /** A connection begins to log in with what its handshake has proved; what it said in clear is forgotten. */
  openEncrypted({ credential, credentialStands }: TlsOutcome & { kind: 'open' }): void {
    this.#attempt = this.#desk.open({ ...this.#doorway, channel: 'encrypted' });
    this.#attempt.tlsCredential(credential, credentialStands);
  }

  /** Asks the desk; there is a session once the answer is `admitted`. */
  async ask(question: Question): Promise<ControlEvent & { kind: 'login' }> {
    const asked = question.kind;
    const outcome = await this.#outcomeOf(question);
    switch (outcome?.kind) {
      case undefined:
        return { kind: 'login', asked, outcome: 'refused', fault: 'service-refusing' };
      case 'continue':
        return { kind: 'login', asked, outcome: onlySecondFactor(outcome) ? 'second-factor' : 'continue' };
      case 'refused':
        return { kind: 'login', asked, outcome: 'refused', fault: outcome.fault };
      case 'admitted':
        this.#session = outcome.session;
        if (outcome.session.ended.aborted) this.#onEnded();
        else outcome.session.ended.addEventListener('abort', this.#onEnded);
        return { kind: 'login', asked, outcome: 'admitted' };
    }
  }

  async #outcomeOf(question: Question): Promise<LoginOutcome | undefined> {
    switch (question.kind) {
      case 'name':
        return this.#attempt?.name(question.user);
      case 'password':
        return this.#attempt?.password(question.user, question.password);
      case 'second-factor':
        return this.#attempt?.secondFactor(question.user, question.code);
    }
  }

  /** Closes the session, where there is one. */
  logOut(): void {
    this.#session?.ended.removeEventListener('abort', this.#onEnded);
    this.#session?.close();
    this.#session = undefined;
  }
}

/** Is a second factor all that is missing? */
const onlySecondFactor = ({ missing }: LoginOutcome & { kind: 'continue' }): boolean =>
  missing.length > 0 && missing.every((proof) => proof === 'second-factor');
