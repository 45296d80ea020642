/** The one thing that the worker takes from its runtime; the full types come with the whole of the platform's. */
declare module 'cloudflare:workers' {
  /** Lets work of the current request go on after its answer was sent. */
  export function waitUntil(work: Promise<unknown>): void;
}
