import type { BufferPool } from '../buffer-pool.ts';
import { wireLimits } from '../protocol.ts';

const blockBytes = wireLimits.readLength;

/**
 * Bytes from the peer that wait to be read, in order. What comes is copied into blocks; the transport's flow control
 * bounds them.
 */
export class Inbox {
  readonly #pool: BufferPool;
  readonly #credit: (bytes: number) => void;
  /** Blocks with unread bytes, and the room behind the last one. */
  readonly #blocks: { readonly memory: Uint8Array; from: number; to: number }[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** @param credit told of bytes that were read */
  constructor(pool: BufferPool, credit: (bytes: number) => void) {
    this.#pool = pool;
    this.#credit = credit;
  }

  /** Copies bytes in. */
  push(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0; ) {
      let last = this.#blocks.at(-1);
      if (!last || last.to === last.memory.length) {
        last = { memory: this.#pool.take(blockBytes), from: 0, to: 0 };
        this.#blocks.push(last);
      }
      const part = rest.subarray(0, last.memory.length - last.to);
      last.memory.set(part, last.to);
      last.to += part.length;
      rest = rest.subarray(part.length);
    }
    this.#wake?.();
  }

  /** No more will come. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async #first() {
    for (;;) {
      const [first] = this.#blocks;
      if (first && first.from < first.to) return first;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #drop(bytes: number): void {
    const first = this.#blocks[0] as { readonly memory: Uint8Array; from: number; to: number };
    first.from += bytes;
    if (first.from === first.to) {
      this.#blocks.shift();
      this.#pool.give(first.memory);
    }
    this.#credit(bytes);
  }

  /** One byte; nothing at the end. */
  async byte(): Promise<number | undefined> {
    const first = await this.#first();
    const value = first?.memory[first.from];
    if (first) this.#drop(1);
    return value;
  }

  /**
   * Hands up to `most` bytes to `use`, and lets go of them when it is done.
   *
   * @returns what `use` answers, or nothing at the end
   */
  async take<T>(most: number, use: (bytes: Uint8Array) => Promise<T>): Promise<T | undefined> {
    const first = await this.#first();
    if (!first) return undefined;
    const bytes = first.memory.subarray(first.from, Math.min(first.to, first.from + most));
    const answer = await use(bytes);
    this.#drop(bytes.length);
    return answer;
  }
}
