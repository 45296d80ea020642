import { randomFillSync } from 'node:crypto';

const poolBytes = 16_384;

/**
 * Random padding (RFC 4253 section 6), drawn from the system in large pieces: a draw of ten bytes costs as much as one
 * of thousands. No byte is given out twice.
 */
export class PaddingPool {
  readonly #bytes = new Uint8Array(poolBytes);
  #used = poolBytes;

  /** Fills a part of a packet. */
  fill(packet: Uint8Array, at: number, length: number): void {
    if (this.#used + length > poolBytes) {
      randomFillSync(this.#bytes);
      this.#used = 0;
    }
    for (let end = at + length; at < end; at++) packet[at] = this.#bytes[this.#used++] as number;
  }
}
