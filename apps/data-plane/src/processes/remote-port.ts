import type { Link } from './link.ts';

// biome-ignore lint/suspicious/noExplicitAny: whatever a method takes
type Method = (...args: any[]) => unknown;

/** For each method of a port, whether it is asked (it answers a promise) or told (it answers nothing). */
export type HowCalled<P> = {
  readonly [K in keyof P]: P[K] extends Method
    ? ReturnType<P[K]> extends Promise<unknown>
      ? 'ask'
      : ReturnType<P[K]> extends void
        ? 'tell'
        : never
    : never;
};

/**
 * A port of the other process as if it were here.
 *
 * @param name what that process calls it
 * @param methods every method and how it is called: a port with anything but methods that can be, does not type-check
 */
export function remotePort<P extends object>(link: Link, name: string, methods: HowCalled<P>): P {
  const stub: Record<string, Method> = {};
  for (const [method, how] of Object.entries(methods)) {
    stub[method] =
      how === 'ask'
        ? (...args) => link.ask(name, method, args)
        : (...args) => {
            link.tell(name, method, args);
          };
  }
  return stub as P;
}
