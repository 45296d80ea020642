/** Window that ssh2 opens for a new channel, and the most that it grows to. */
export const initialWindow = 2 * 1024 * 1024;
const largestWindow = 16 * 1024 * 1024;
/** A client whose data come sooner than this after an adjustment is near: a larger window would only fill memory. */
const farAwayMs = 25;
/** So often in a row it must be late: a busy machine lets near clients wait as well, but not always. */
const lateTimes = 2;

/** An adjustment on its way to the client. */
type Adjustment = {
  /** Bytes that the client could send without it, since the channel opened. */
  readonly after: number;
  readonly sentAt: number;
};

/**
 * How much a client may send on a channel (RFC 4254 section 5.2), and whether that is enough. A client can send one
 * window in each round trip. One that stops exactly where its window ended, and goes on as soon as an adjustment has
 * reached it, is held up by the window alone: it doubles, little by little, since OpenSSH's client reads as much from its
 * disk as the window lets it send, and pays for each step of that with a copy of all of it. For a near client that price is
 * all it would get, so one that has been quick once is near for good.
 */
export class ReceiveWindow {
  #size = initialWindow;
  /** Bytes by which it may still grow. */
  #growth = 0;
  #received = 0;
  #allowed = initialWindow;
  readonly #underWay: Adjustment[] = [];
  #exhaustedAt: Adjustment | undefined;
  #tooSmall = false;
  /** Times in a row that data came late after an adjustment; nothing once they came soon. */
  #late: number | undefined = 0;
  #lateAt = Number.NEGATIVE_INFINITY;
  readonly #clock: () => number;

  /** @param clock milliseconds from any start */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Bytes by which it has grown, or is about to. */
  get grown(): number {
    return this.#size + this.#growth - initialWindow;
  }

  /** Takes note of data. @returns false where the client has sent more than it may */
  receive(bytes: number): boolean {
    if (this.#exhaustedAt) this.#reacted(this.#clock(), this.#exhaustedAt.sentAt);
    this.#exhaustedAt = undefined;
    this.#received += bytes;
    for (let [next] = this.#underWay; next && next.after <= this.#received; [next] = this.#underWay) {
      if (next.after === this.#received) this.#exhaustedAt = next;
      this.#underWay.shift();
    }
    return this.#received <= this.#allowed;
  }

  /** The client has gone on after an adjustment. What comes of several at once is one wait. */
  #reacted(now: number, sentAt: number): void {
    if (this.#late === undefined) return;
    if (now - sentAt < farAwayMs) {
      this.#late = undefined;
    } else if (now - this.#lateAt >= farAwayMs) {
      this.#lateAt = now;
      this.#late++;
    }
    this.#tooSmall = this.#late !== undefined && this.#late >= lateTimes;
  }

  /**
   * Opens the window again.
   *
   * @param released bytes that have left memory
   * @param grow asked for leave to hold that many more
   * @returns bytes of the adjustment
   */
  open(released: number, grow: (bytes: number) => boolean): number {
    const doubled = Math.min(this.#size, largestWindow - this.#size);
    if (this.#tooSmall && this.#growth === 0 && doubled > 0 && grow(doubled)) this.#growth = doubled;
    this.#tooSmall = false;
    const growth = Math.min(this.#growth, released);
    this.#growth -= growth;
    this.#size += growth;
    const adjustment = released + growth;
    this.#underWay.push({ after: this.#allowed, sentAt: this.#clock() });
    this.#allowed += adjustment;
    return adjustment;
  }
}
