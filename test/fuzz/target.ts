/** Something that takes bytes of a stranger. */
export type FuzzTarget = {
  readonly name: string;
  /** Good input, which is changed at random; never empty. */
  readonly seeds: () => Promise<readonly Uint8Array[]>;
  /**
   * Gives it one input and waits for the end.
   *
   * @param random whole numbers below a bound, the same for the same seed
   * @throws where the input did what no input may
   */
  readonly feed: (input: Uint8Array, random: (below: number) => number) => Promise<void> | void;
};

/** Cuts bytes where a network could have cut them. */
export function portionsOf(bytes: Uint8Array, random: (below: number) => number): Uint8Array[] {
  const portions: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = random(3) === 0 ? at + 1 + random(40) : bytes.length;
    portions.push(bytes.slice(at, end));
    at = end;
  }
  return portions;
}
