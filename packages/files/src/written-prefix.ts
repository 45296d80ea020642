/** Most pieces ahead of the prefix that are remembered; a writer that jumps about more is held to what it has. */
const maxPieces = 256;

/**
 * How far a file is written without a hole from its beginning, whatever the order that the writes finish in.
 * What is kept of a cut upload ends there: its client goes on at the size that it is told.
 */
export class WrittenPrefix {
  #length: number;
  /** Written pieces ahead of the prefix: from → to. */
  readonly #ahead = new Map<number, number>();

  /** @param length bytes that are there from the start */
  constructor(length = 0) {
    this.#length = length;
  }

  /** Bytes from the beginning that are all written. */
  get length(): number {
    return this.#length;
  }

  /** Takes note of a finished write, end exclusive. */
  add(from: number, to: number): void {
    if (to <= this.#length) return;
    if (from > this.#length) {
      const known = this.#ahead.get(from) ?? from;
      if (this.#ahead.size < maxPieces || known > from) this.#ahead.set(from, Math.max(to, known));
      return;
    }
    this.#length = to;
    if (this.#ahead.size > 0) this.#join();
  }

  /** The file was cut to that many bytes, or grown without a write. */
  truncate(size: number): void {
    this.#length = Math.min(this.#length, size);
    for (const [from, to] of this.#ahead) {
      if (from >= size) this.#ahead.delete(from);
      else if (to > size) this.#ahead.set(from, size);
    }
  }

  #join(): void {
    for (let grew = true; grew; ) {
      grew = false;
      for (const [from, to] of this.#ahead) {
        if (from > this.#length) continue;
        this.#ahead.delete(from);
        if (to > this.#length) {
          this.#length = to;
          grew = true;
        }
      }
    }
  }
}
