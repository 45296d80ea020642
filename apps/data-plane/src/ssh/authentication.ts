import { type ProofKind, type SshMethod, sshMethodsFor } from '@sallyport/policy';
import type { LoginAttempt, LoginOutcome } from '../login.ts';
import type { Session } from '../session.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { ClientKey } from './client-key.ts';

/** What a USERAUTH_REQUEST brings (RFC 4252). */
export type Credential =
  | { readonly method: 'none' }
  | { readonly method: 'password'; readonly password: string }
  | {
      readonly method: 'keyboard-interactive';
      /** Asks one question without echo; nothing where the client gave up or did not answer with one text. */
      readonly ask: (prompt: string) => Promise<string | undefined>;
    }
  | {
      readonly method: 'publickey';
      /** Absent: not a key that is accepted. */
      readonly key: ClientKey | ClientCertificate | undefined;
      /** Absent: the client asks whether the key would do. */
      readonly signed: { readonly data: Uint8Array; readonly signature: Uint8Array } | undefined;
    }
  | { readonly method: 'unsupported' };

/** One USERAUTH_REQUEST and the ways to answer it. */
export interface AuthExchange {
  readonly user: string;
  readonly credential: Credential;
  /** SSH_MSG_USERAUTH_SUCCESS; false where the client has moved on and is not logged in. */
  accept(): boolean;
  /** SSH_MSG_USERAUTH_PK_OK for the key of the request. */
  acceptKey(): void;
  /** SSH_MSG_USERAUTH_FAILURE with the methods that can go on. */
  refuse(methods: readonly SshMethod[], partial: 'partial' | 'none'): void;
}

export type AuthenticationOptions = {
  readonly attempt: LoginAttempt;
  /** What a client is told before it has proved anything; the same for every user name. */
  readonly firstMethods: readonly SshMethod[];
  readonly maxFailures: number;
  /** Called before the client hears of its success. */
  readonly onAdmitted: (session: Session) => void;
  /** The session was not taken up: the client had moved on. */
  readonly onForsaken: (session: Session) => void;
  /** Too many failures: disconnect. */
  readonly onExhausted: () => void;
};

/** Questions without a proof (`none`, keys that are not known) that a connection may ask: agents hold many keys. */
const maxProbes = 30;

/** Is the code the next thing to ask for? The password comes first where both are missing. */
const wantsCode = (missing: readonly ProofKind[]): boolean =>
  missing.includes('second-factor') && !missing.includes('password');

/**
 * The user authentication of one connection (RFC 4252): which methods are offered, and in what order proofs are
 * judged. The attempt behind it remembers the proofs; partial success holds for one user name.
 */
export class Authentication {
  readonly #options: AuthenticationOptions;
  #user: string | undefined;
  #methods: readonly SshMethod[];
  /** Proofs that are missing after a partial success. */
  #missing: readonly ProofKind[] = [];
  #failures = 0;
  #probes = 0;
  #over = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#methods = options.firstMethods;
  }

  /**
   * Judges one request after those before it.
   *
   * @returns when it has been answered; rejects where the attempt does
   */
  handle(exchange: AuthExchange): Promise<void> {
    const judged = this.#turn.then(() => this.#judge(exchange));
    this.#turn = judged.catch(() => {
      this.#over = true;
    });
    return judged;
  }

  async #judge(exchange: AuthExchange): Promise<void> {
    if (this.#over) return;
    const { user, credential } = exchange;
    if (user !== this.#user) {
      this.#user = user;
      this.#methods = this.#options.firstMethods;
      this.#missing = [];
    }
    if (credential.method === 'none') return this.#probed(exchange);
    const offered = this.#methods.some((method) => method === credential.method);
    if (credential.method === 'unsupported' || !offered) return this.#failed(exchange);
    const { attempt } = this.#options;
    switch (credential.method) {
      case 'password':
        return this.#conclude(exchange, await attempt.password(user, credential.password));
      case 'keyboard-interactive':
        return this.#askThrough(exchange, credential.ask);
      case 'publickey':
        return this.#judgeKey(exchange, credential.key, credential.signed);
    }
  }

  /** Asks for the password, and then in a round of its own for the code, as far as they are missing (RFC 4256). */
  async #askThrough(
    exchange: AuthExchange,
    ask: (prompt: string) => Promise<string | undefined>,
  ): Promise<void> {
    const { attempt } = this.#options;
    let missing = this.#missing;
    if (!wantsCode(missing)) {
      const password = await ask('Password: ');
      if (password === undefined) return this.#failed(exchange);
      const outcome = await attempt.password(exchange.user, password);
      if (outcome.kind !== 'continue' || !outcome.partial || !wantsCode(outcome.missing))
        return this.#conclude(exchange, outcome);
      missing = outcome.missing;
      this.#proceed(missing);
    }
    const code = await ask('Verification code: ');
    if (code === undefined) return this.#failed(exchange);
    return this.#conclude(exchange, await attempt.secondFactor(exchange.user, code));
  }

  async #judgeKey(
    exchange: AuthExchange,
    key: ClientKey | ClientCertificate | undefined,
    signed: { readonly data: Uint8Array; readonly signature: Uint8Array } | undefined,
  ): Promise<void> {
    const { attempt } = this.#options;
    const certificate = key && 'certificate' in key ? key.certificate : undefined;
    if (!signed) {
      const known = key && (await attempt.knowsSshKey(exchange.user, key.blob, certificate));
      if (!known) return this.#probed(exchange);
      return exchange.acceptKey();
    }
    if (!key) return this.#failed(exchange);
    if (!key.verify(signed.data, signed.signature)) {
      await attempt.badSignature(exchange.user);
      return this.#failed(exchange);
    }
    return this.#conclude(exchange, await attempt.sshKey(exchange.user, key.blob, certificate));
  }

  #conclude(exchange: AuthExchange, outcome: LoginOutcome): void {
    if (outcome.kind === 'admitted') {
      this.#over = true;
      this.#options.onAdmitted(outcome.session);
      if (!exchange.accept()) this.#options.onForsaken(outcome.session);
    } else if (outcome.kind === 'continue' && outcome.partial) {
      this.#proceed(outcome.missing);
      exchange.refuse(this.#methods, 'partial');
    } else {
      this.#failed(exchange);
    }
  }

  /** From now on only what is missing can be brought. */
  #proceed(missing: readonly ProofKind[]): void {
    this.#missing = missing;
    this.#methods = sshMethodsFor(missing);
  }

  #probed(exchange: AuthExchange): void {
    if (++this.#probes > maxProbes) this.#exhausted();
    else exchange.refuse(this.#methods, 'none');
  }

  #failed(exchange: AuthExchange): void {
    if (++this.#failures >= this.#options.maxFailures) this.#exhausted();
    else exchange.refuse(this.#methods, 'none');
  }

  #exhausted(): void {
    this.#over = true;
    this.#options.onExhausted();
  }
}
