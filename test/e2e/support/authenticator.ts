// An authenticator app: it reads the URI of an enrolment and shows codes (RFC 6238), by code of its own.
import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export type Authenticator = {
  /** A code that was not shown before; waits for the next one where it must. */
  readonly next: () => Promise<string>;
  /** The last code again. */
  readonly again: () => string;
};

function bytesOf(base32: string): Buffer {
  const bits = [...base32]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** @param uri `otpauth://totp/…` */
export function authenticatorOf(uri: string): Authenticator {
  const { protocol, host, searchParams } = new URL(uri);
  if (protocol !== 'otpauth:' || host !== 'totp') throw new Error('not for an authenticator app');
  const secret = bytesOf(searchParams.get('secret') ?? '');
  const digits = Number(searchParams.get('digits'));
  const period = Number(searchParams.get('period')) * 1000;
  const hash = (searchParams.get('algorithm') ?? '').toLowerCase();
  let shown = 0;

  function codeOf(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac(hash, secret).update(counter).digest();
    const at = (mac[mac.length - 1] as number) % 16;
    const number = (mac.readUInt32BE(at) % 2 ** 31) % 10 ** digits;
    return String(number).padStart(digits, '0');
  }

  return {
    async next() {
      // The server takes the step before and the one after as well: three logins need no waiting.
      const current = () => Math.floor(Date.now() / period);
      shown = Math.max(shown + 1, current());
      while (shown > current() + 1) await delay(200);
      return codeOf(shown);
    },
    again: () => codeOf(shown),
  };
}
