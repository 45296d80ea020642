import { equalConstantTime } from '@sallyport/bytes';
import { type LockoutCounter, normalizedName, type ServingState } from '@sallyport/model';
import { type SshCertificate, sshFingerprint } from '@sallyport/pki';
import { type CredentialFact, type Decision, decide } from '@sallyport/policy';
import type { AccountRecord } from '@sallyport/snapshot/node';
import { accountFacts } from './account-facts.ts';
import { type FilesRoot, filesOf } from './account-files.ts';
import { type GuardedProof, proveCode, provePassword } from './guarded-proof.ts';
import { type Lockouts, type LoginKey, lockoutName } from './lockout/lockouts.ts';
import type { CredentialStands, Doorway, LoginAttempt, LoginDesk, LoginOutcome } from './login.ts';
import { noProofs, type Proofs, type Proved } from './login-proofs.ts';
import type { LoginRecord } from './login-record.ts';
import type { VerifiedPasswords } from './password/cache.ts';
import type { PasswordVerifier } from './password/verifier.ts';
import { serverFacts } from './server-facts.ts';
import type { SessionRegistry } from './session-registry.ts';
import { createCertificateJudge } from './ssh-certificate-judge.ts';
import { judgeSshCertificate, sshCertificateFacts } from './ssh-certificate-login.ts';
import { foreignSource, spkiDigestOf, sshCredentialOf } from './ssh-key-login.ts';
import type { ZoneView } from './zone-view.ts';

export type LoginDeskOptions = {
  readonly view: () => ZoneView;
  readonly serving: () => ServingState;
  readonly now: () => number;
  readonly passwords: PasswordVerifier;
  readonly verifiedPasswords: VerifiedPasswords;
  readonly lockouts: Lockouts;
  readonly sessions: SessionRegistry;
  readonly filesRoot: FilesRoot;
  readonly record: (login: LoginRecord) => void;
  /** Waits so many milliseconds before a refusal is answered. */
  readonly pause: (ms: number) => Promise<unknown>;
};

const refusedLogin: LoginOutcome = { kind: 'refused', fault: 'login-refused' };

/** What the record of a refusal says beside its reason. */
type Told = { readonly fingerprint?: string | undefined; readonly lockout?: LockoutCounter | undefined };

const lockoutOf = (proof: GuardedProof): Told =>
  proof.kind === 'locked-out' ? { lockout: proof.counter } : {};

/** The login desk of this node: gathers facts, asks `decide`, opens sessions. */
export function createLoginDesk(options: LoginDeskOptions): LoginDesk {
  return { open: (doorway) => openAttempt(options, doorway) };
}

function openAttempt(options: LoginDeskOptions, doorway: Doorway): LoginAttempt {
  const { now } = options;
  let tls: { fact: CredentialFact; stands: CredentialStands | undefined } | undefined;
  let proofs: Proofs | undefined;

  /** Proofs belong to one user name: another name starts afresh. */
  function proofsOf(user: string): Proofs {
    if (proofs?.user !== user) proofs = noProofs(user);
    return proofs;
  }

  const keyOf = (view: ZoneView, user: string, account: AccountRecord | undefined): LoginKey => ({
    name: lockoutName(normalizedName(user, view.policy.loginSettings.nameCase)),
    source: doorway.source,
    account: account ? 'known' : 'unknown',
  });

  /** A refusal is held back: it costs who guesses time, and shows nothing by how soon it comes. */
  async function heldBack<T extends LoginOutcome | undefined>(judge: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const outcome = await judge();
    if (outcome === undefined || outcome.kind === 'refused') {
      const left = options.view().policy.loginSettings.lockout.failureDelayMs - (performance.now() - begun);
      if (left > 0) await options.pause(left);
    }
    return outcome;
  }

  async function judge(
    view: ZoneView,
    account: AccountRecord | undefined,
    held: Proofs,
    shown: 'nothing' | 'proof',
    credential: CredentialFact,
    { fingerprint = held.sshKey?.fingerprint, lockout }: Told = {},
  ): Promise<LoginOutcome> {
    const refuse = (reason: string): LoginOutcome => {
      if (shown === 'proof') {
        options.record({
          doorway,
          user: held.user,
          outcome: 'refused',
          reason,
          version: view.version,
          ...(fingerprint === undefined ? {} : { credential: fingerprint }),
          ...(lockout === undefined ? {} : { lockout }),
        });
      }
      return refusedLogin;
    };
    const server = view.servers.find((running) => running.server.id === doorway.server)?.server;
    if (!server) return refuse('server-not-running');
    const decision = decide({
      server: serverFacts(server),
      policy: view.policy,
      channel: doorway.channel,
      name: normalizedName(held.user, view.policy.loginSettings.nameCase),
      source: doorway.source,
      account: account && accountFacts(account),
      password: held.password,
      credential,
      secondFactor: held.secondFactor,
    });
    switch (decision.kind) {
      case 'permit':
        return account
          ? admit(view, server.protocol, account, held, decision, refuse)
          : refuse('unknown-account');
      case 'continue':
        return decision;
      case 'refuse':
        refuse(decision.reason);
        return {
          kind: 'refused',
          fault: decision.reason === 'tls-required' ? 'tls-required' : 'login-refused',
        };
    }
  }

  async function admit(
    view: ZoneView,
    protocol: 'ssh' | 'ftp' | 'http',
    account: AccountRecord,
    held: Proofs,
    decision: Extract<Decision, { kind: 'permit' }>,
    refuse: (reason: string) => LoginOutcome,
  ): Promise<LoginOutcome> {
    if (options.serving() === 'refusing') return refuse('service-refusing');
    const files = await filesOf(options.filesRoot, account);
    if (!files) return refuse('home-unavailable');
    const session = await options.sessions.open({
      protocol,
      server: doorway.server,
      source: doorway.source,
      channel: doorway.channel,
      account: {
        id: account.id,
        name: account.name,
        normalizedName: normalizedName(account.name, view.policy.loginSettings.nameCase),
      },
      userClass: decision.userClass,
      proofs: decision.proofs,
      passwordHash: held.passwordHash,
      secondFactor: held.secondFactorSecret,
      credentialStands: held.sshKey?.stands ?? tls?.stands,
      credential: held.sshKey?.fingerprint,
      certificate: decision.certificate,
      files: files.files,
      home: account.home,
      regrant: files.regrant,
      maxSessions: account.limits.maxSessions,
    });
    if (!session) return refuse('session-limit');
    // Proofs may be older than the view: a key that was shown, a password that was verified or a certificate of the
    // handshake can be gone since. And a snapshot that is applied during all this has not seen the session.
    let judged: ZoneView;
    do {
      judged = options.view();
      if (!(await options.sessions.redecide(session, judged))) {
        session.close();
        return refuse('changed-meanwhile');
      }
    } while (judged !== options.view());
    if (decision.proofs.includes('password'))
      await options.lockouts.succeeded(keyOf(judged, account.name, account));
    options.record({
      doorway,
      user: account.name,
      outcome: 'permitted',
      reason: [...decision.proofs, ...(decision.ignoredCredential ? [decision.ignoredCredential] : [])].join(
        '+',
      ),
      session: session.id,
      version: judged.version,
      ...(held.sshKey === undefined ? {} : { credential: held.sshKey.fingerprint }),
      ...(decision.certificate === undefined ? {} : { certificate: decision.certificate }),
      ...(held.sshKey?.sshCertificate ? { sshCertificate: held.sshKey.sshCertificate } : {}),
    });
    return { kind: 'admitted', session };
  }

  const recordForeignSource = (view: ZoneView, user: string, keyBlob: Uint8Array): void =>
    options.record({
      doorway,
      user,
      outcome: 'refused',
      reason: foreignSource,
      credential: sshFingerprint(keyBlob),
      version: view.version,
    });

  const credentialOf = (held: Proofs): CredentialFact => held.sshKey?.fact ?? tls?.fact ?? { kind: 'none' };

  const judgeCertificate = createCertificateJudge(options, doorway);

  async function knowsCertificate(user: string, certificate: SshCertificate): Promise<boolean> {
    const view = options.view();
    const account = await view.accountNamed(user);
    return (
      account !== undefined && (await judgeCertificate(view, user, account, certificate)).kind === 'accepted'
    );
  }

  async function certificateLogin(user: string, certificate: SshCertificate): Promise<LoginOutcome> {
    const view = options.view();
    const account = await view.accountNamed(user);
    const held = proofsOf(user);
    const verdict = account && (await judgeCertificate(view, user, account, certificate));
    const ca = view.trust.sshCasAt(now()).find(({ key }) => equalConstantTime(key, certificate.ca));
    if (!account || !ca || verdict?.kind !== 'accepted') {
      const invalid = { kind: 'invalid', reason: 'ssh-certificate' } as const;
      return judge(view, account, held, 'proof', invalid, { fingerprint: certificate.facts.sshFingerprint });
    }
    const proved: Proved = {
      fact: {
        kind: 'proved',
        registrations: [{ account: account.id, accountName: account.name, certificate: ca.id }],
      },
      stands: async (at) => {
        const still = await at.accountNamed(account.name);
        const circumstances = { view: at, source: doorway.source, now: now() };
        return (
          still !== undefined &&
          (await judgeSshCertificate(certificate, still, circumstances)).kind === 'accepted'
        );
      },
      fingerprint: certificate.facts.sshFingerprint,
      sshCertificate: sshCertificateFacts(certificate, verdict),
    };
    held.sshKey = proved;
    return judge(view, account, held, 'proof', proved.fact);
  }

  async function judgePassword(user: string, password: string): Promise<LoginOutcome> {
    const view = options.view();
    const account = await view.accountNamed(user);
    const held = proofsOf(user);
    const hash = account?.passwordHash;
    const protocol = view.servers.find((running) => running.server.id === doorway.server)?.server.protocol;
    const verified = protocol === 'http' ? options.verifiedPasswords : undefined;
    const cached = hash !== undefined && verified?.has(account?.id ?? '', hash, password);
    const proof = await provePassword(options.lockouts, keyOf(view, user, account), async (which) => {
      if (which === 'password' && cached) return 'verified';
      return options.passwords.verify(which === 'password' ? hash : undefined, password, doorway.source);
    });
    if (proof.kind === 'busy') {
      const reason = 'password-queue-full';
      options.record({ doorway, user, outcome: 'refused', reason, version: view.version });
      return refusedLogin;
    }
    held.password = proof.kind;
    held.passwordHash = proof.kind === 'verified' ? hash : undefined;
    if (proof.kind === 'verified' && account && hash !== undefined && !cached) {
      verified?.add(account.id, hash, password);
    }
    const outcome = await judge(view, account, held, 'proof', credentialOf(held), lockoutOf(proof));
    // A wrong password is spent: the next one is judged on its own.
    if (held.password !== 'verified') held.password = 'absent';
    return outcome;
  }

  async function judgeCode(user: string, code: string): Promise<LoginOutcome> {
    const view = options.view();
    const account = await view.accountNamed(user);
    const held = proofsOf(user);
    const credential = credentialOf(held);
    const own =
      credential.kind === 'proved' && credential.registrations.some((one) => one.account === account?.id);
    // Nobody learns anything of a code who has not proved something else.
    if (!account || (held.password !== 'verified' && !own))
      return judge(view, account, held, 'nothing', credential);
    const totp = account.secondFactor;
    const proof = await proveCode(
      options.lockouts,
      keyOf(view, user, account),
      { id: account.id, totp },
      code,
      now(),
    );
    held.secondFactor = proof.kind === 'busy' ? 'failed' : proof.kind;
    held.secondFactorSecret = proof.kind === 'verified' ? totp?.secret : undefined;
    const outcome = await judge(view, account, held, 'proof', credential, lockoutOf(proof));
    if (held.secondFactor !== 'verified') held.secondFactor = 'absent';
    return outcome;
  }

  return {
    async name(user) {
      const view = options.view();
      const held = proofsOf(user);
      const credential = credentialOf(held);
      const shown = credential.kind === 'proved' ? 'proof' : 'nothing';
      return judge(view, await view.accountNamed(user), held, shown, credential);
    },

    password: (user, password) => heldBack(() => judgePassword(user, password)),
    secondFactor: (user, code) => heldBack(() => judgeCode(user, code)),

    async badSignature(user) {
      const view = options.view();
      await heldBack(async () => {
        await options.lockouts.failed(keyOf(view, user, await view.accountNamed(user)));
        return undefined;
      });
    },

    async knowsSshKey(user, keyBlob, certificate) {
      if (certificate) return knowsCertificate(user, certificate);
      const spkiSha256 = spkiDigestOf(keyBlob);
      if (spkiSha256 === undefined) return false;
      const view = options.view();
      const account = await view.accountNamed(user);
      const credential = sshCredentialOf(account, spkiSha256, doorway.source, view, now());
      // A client that is not told to sign is heard of no more: whoever looks for the reason finds it here.
      if (credential === foreignSource) recordForeignSource(view, user, keyBlob);
      return typeof credential !== 'string';
    },

    async sshKey(user, keyBlob, certificate) {
      if (certificate) return certificateLogin(user, certificate);
      const view = options.view();
      const account = await view.accountNamed(user);
      const held = proofsOf(user);
      const spkiSha256 = spkiDigestOf(keyBlob);
      const credential =
        spkiSha256 === undefined
          ? 'not registered on the account'
          : sshCredentialOf(account, spkiSha256, doorway.source, view, now());
      if (!account || typeof credential === 'string' || spkiSha256 === undefined) {
        // Clients offer every key they have: one that is not this account's proves nothing and spoils nothing.
        const reason = typeof credential === 'string' ? credential : 'not registered on the account';
        const fact = { kind: 'invalid', reason } as const;
        const told = { fingerprint: sshFingerprint(keyBlob) };
        const outcome = await judge(view, account, held, 'proof', fact, told);
        if (credential === foreignSource && outcome.kind === 'continue')
          recordForeignSource(view, user, keyBlob);
        return outcome;
      }
      held.sshKey = {
        fingerprint: sshFingerprint(keyBlob),
        fact: {
          kind: 'proved',
          registrations: [
            { account: account.id, accountName: account.name, certificate: credential.certificate },
          ],
        },
        async stands(at) {
          const then = await at.accountNamed(account.name);
          return typeof sshCredentialOf(then, spkiSha256, doorway.source, at, now()) !== 'string';
        },
      };
      return judge(view, account, held, 'proof', held.sshKey.fact);
    },

    tlsCredential(fact, stands) {
      tls = { fact, stands };
    },
  };
}
