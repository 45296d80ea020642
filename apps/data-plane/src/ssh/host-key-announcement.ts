import type { HostKey } from './host-keys.ts';
import type { Protocol } from './ssh2-internals.ts';
import { sendMessage } from './ssh2-internals.ts';
import { readFields, sshField } from './wire.ts';

export type AnnouncementOptions = {
  readonly keys: readonly HostKey[];
  /** Signature algorithms that the client takes from host keys, as it offered them. */
  readonly clientAlgorithms: () => readonly string[];
  /** Is somebody logged in? Nobody else learns our keys or has us sign. */
  readonly authenticated: () => boolean;
  /** The client has had these proved, and knows them from now on. */
  readonly onProved: (fingerprints: readonly string[]) => void;
};

const globalRequest = 80;
const announcement = 'hostkeys-00@openssh.com';
const proofRequest = 'hostkeys-prove-00@openssh.com';
/** Proof requests that a connection may make: each key costs a signature. */
const maxProofRequests = 4;

/**
 * Tells a logged-in client all host keys of the server and proves those that it asks for, so that it knows the next
 * key before that is in use (OpenSSH PROTOCOL section 2.5).
 *
 * @returns to be called once the client is logged in
 */
export function prepareAnnouncement(protocol: Protocol, options: AnnouncementOptions): () => void {
  const { keys, authenticated, onProved } = options;
  const others = protocol._handlers.GLOBAL_REQUEST;
  let proofs = 0;
  protocol._handlers.GLOBAL_REQUEST = (self, name, wantReply, data) => {
    if (name !== proofRequest || !authenticated() || !wantReply || !Buffer.isBuffer(data)) {
      others(self, name, wantReply, data);
      return;
    }
    const proved = ++proofs <= maxProofRequests ? proofsFor(protocol, options, data) : undefined;
    if (!proved) {
      protocol.requestFailure();
      return;
    }
    protocol.requestSuccess(proved.signatures);
    onProved(proved.fingerprints);
  };
  return () => {
    sendMessage(
      protocol,
      Buffer.concat([
        Buffer.from([globalRequest]),
        sshField(announcement),
        Buffer.from([0]),
        ...keys.map(({ blob }) => sshField(blob)),
      ]),
    );
  };
}

function proofsFor(
  protocol: Protocol,
  { keys, clientAlgorithms }: AnnouncementOptions,
  data: Buffer,
): { readonly signatures: Buffer; readonly fingerprints: readonly string[] } | undefined {
  const asked = readFields(data, keys.length);
  const kex = protocol._kex;
  if (!asked || asked.length === 0 || !kex?.sessionID) return undefined;
  const signatures: Buffer[] = [];
  const fingerprints: string[] = [];
  for (const blob of asked) {
    const key = keys.find((candidate) => candidate.blob.equals(blob));
    if (!key) return undefined;
    const algorithm = proofAlgorithm(key, kex.negotiated.serverHostKey, clientAlgorithms());
    const proof = Buffer.concat([sshField(proofRequest), sshField(kex.sessionID), sshField(blob)]);
    signatures.push(sshField(key.sign(algorithm, proof)));
    fingerprints.push(key.fingerprint);
  }
  return { signatures: Buffer.concat(signatures), fingerprints };
}

/** The one that was negotiated where this kind of key has it: clients hold RSA to that; else one that the client has. */
const proofAlgorithm = (
  { algorithms }: HostKey,
  negotiated: string,
  clientAlgorithms: readonly string[],
): string =>
  algorithms.find((name) => name === negotiated) ??
  algorithms.find((name) => clientAlgorithms.includes(name)) ??
  (algorithms[0] as string);
