import type { AuthExchange, Credential } from './authentication.ts';
import { readClientCertificate } from './client-certificate.ts';
import { readClientKey } from './client-key.ts';
import type { Ssh2AuthContext, Ssh2Client } from './ssh2-internals.ts';

/** One question without echo; nothing where the client aborts or answers with another number of texts. */
const ask =
  (context: Extract<Ssh2AuthContext, { method: 'keyboard-interactive' }>) =>
  (prompt: string): Promise<string | undefined> =>
    new Promise((resolve) => {
      context.prompt([{ prompt, echo: false }], (answers: unknown) => {
        resolve(Array.isArray(answers) && answers.length === 1 ? String(answers[0]) : undefined);
      });
    });

function credentialOf(context: Ssh2AuthContext, acceptedKeys: readonly string[]): Credential {
  switch (context.method) {
    case 'none':
      return { method: 'none' };
    case 'password': {
      // A request to change the password has an object here; we offer no change.
      const password: unknown = context.password;
      return typeof password === 'string' ? { method: 'password', password } : { method: 'unsupported' };
    }
    case 'keyboard-interactive':
      return { method: 'keyboard-interactive', ask: ask(context) };
    case 'publickey': {
      const { key, hashAlgo, signature, blob } = context;
      const hash = hashAlgo === 'sha256' || hashAlgo === 'sha512' ? hashAlgo : undefined;
      return {
        method: 'publickey',
        key:
          readClientCertificate({ type: key.algo, blob: key.data }, acceptedKeys) ??
          readClientKey({ type: key.algo, hash, blob: key.data }, acceptedKeys),
        signed: signature && blob ? { data: blob, signature } : undefined,
      };
    }
    default:
      return { method: 'unsupported' };
  }
}

/**
 * An authentication request of ssh2 as an exchange of ours. ssh2 itself verifies no signature: our judge does.
 *
 * @param acceptedKeys signature algorithms that a client's key may use
 */
export function authExchange(
  context: Ssh2AuthContext,
  client: Ssh2Client,
  acceptedKeys: readonly string[],
): AuthExchange {
  const credential = credentialOf(context, acceptedKeys);
  return {
    user: context.username,
    credential,
    accept() {
      context.accept();
      return client.authenticated;
    },
    acceptKey() {
      if (context.method !== 'publickey' || credential.method !== 'publickey' || !credential.key) return;
      // ssh2's own accept() answers `ssh-rsa` to a client that asked with rsa-sha2 (RFC 8332 section 3.2).
      context._initialResponse = true;
      context._protocol.authPKOK(credential.key.algorithm, context.key.data);
    },
    refuse(methods, partial) {
      context.reject([...methods], partial === 'partial');
    },
  };
}
