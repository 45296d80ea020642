import type { HybridKem } from './hybrid-kem.ts';
import { negotiated, type OfferedAlgorithms, readKexInit, withKex } from './negotiation.ts';
import { type KexOffer, kexOnly, type Protocol, sendKexInit } from './ssh2-internals.ts';

export type KeyExchangeOptions = {
  readonly offer: KexOffer;
  /** Hybrid exchanges of the offer, by name. */
  readonly hybrids: ReadonlyMap<string, HybridKem>;
  /** The client's first offer, before anything is made of it. */
  readonly onOffered: (offered: OfferedAlgorithms) => void;
};

/** What ssh2 is told to do where the exchange is ours. */
const standIn = 'curve25519-sha256';
/** Names in the list of key exchanges that are none (RFC 8308 section 2.1, OpenSSH PROTOCOL section 1.10). */
const markers = ['ext-info-c', 'kex-strict-c-v00@openssh.com'];

/**
 * Puts our offer and the hybrid key exchanges under a connection of ssh2, which knows no other exchange than its own:
 * it is made to begin one with X25519, and gets the share, the secret and the transcript of the hybrid.
 * To be called before the client's KEXINIT is read.
 */
export function leadKeyExchange(protocol: Protocol, options: KeyExchangeOptions): void {
  protocol._offer = options.offer;
  const watch = (pass: (payload: Buffer) => unknown) => (payload: Buffer) => {
    const offered = readKexInit(payload);
    if (!offered) return pass(payload);
    const before = protocol._kex;
    // It is part of what the exchange signs: the memory that it came in may be used again before.
    const passed = exchange(protocol, options, Buffer.from(payload), offered, pass);
    if (protocol._kex !== before) {
      protocol._skipNextInboundPacket = offered.guessFollows && !guessesRight(offered, options.offer);
    }
    return passed;
  };
  let first = true;
  const decipher = protocol._decipher;
  const passFirst = watch(decipher._onPayload);
  decipher._onPayload = (payload) => {
    if (first) {
      first = false;
      const offered = readKexInit(payload);
      if (offered) options.onOffered(offered);
      return passFirst(payload);
    }
    return passFirst(payload);
  };
  // Every later decipher is given this one.
  protocol._onPayload = watch(protocol._onPayload);
}

/** Whether the packet that follows is of the exchange that both sides prefer; ssh2 asks for less (RFC 4253 section 7). */
const guessesRight = ({ kex, hostKeys }: OfferedAlgorithms, { lists }: KexOffer): boolean =>
  kex[0] === lists.kex.array[0] && hostKeys[0] === lists.serverHostKey.array[0];

function exchange(
  protocol: Protocol,
  { offer, hybrids }: KeyExchangeOptions,
  payload: Buffer,
  offered: OfferedAlgorithms,
  pass: (payload: Buffer) => unknown,
): unknown {
  const name = negotiated(offered.kex, offer.lists.kex.array);
  const hybrid = name === undefined ? undefined : hybrids.get(name);
  if (name === undefined || !hybrid) return pass(payload);
  const before = protocol._kex;
  // A key exchange that the client begins is answered with our own offer, not with the one that stands in.
  if (before && protocol._kexinit === undefined) sendKexInit(protocol);
  protocol._offer = kexOnly(offer, standIn);
  let passed: unknown;
  try {
    passed = pass(withKex(payload, [standIn, ...markers.filter((marker) => offered.kex.includes(marker))]));
  } finally {
    protocol._offer = offer;
  }
  const kex = protocol._kex;
  if (!kex || kex === before) return passed;
  let reply: Buffer | undefined;
  kex._remoteKexinit = payload;
  kex.negotiated.kex = name;
  kex.hashName = hybrid.hash;
  kex.convertPublicKey = (share) => share;
  kex.computeSecret = (share) => {
    const answer = hybrid.answer(share);
    reply = answer?.reply;
    return answer?.secret ?? new Error('the share is none of this exchange');
  };
  kex.getPublicKey = () => reply ?? Buffer.alloc(0);
  return passed;
}
