import type { Result } from '@sallyport/faults';
import type { z } from 'zod';
import type { RouteName } from './access.ts';
import type { Caller } from './caller.ts';
import type { Dependencies } from './dependencies.ts';

type Shape = z.ZodType;
type In<S> = S extends Shape ? z.output<S> : S extends 'bytes' ? Uint8Array<ArrayBuffer> : undefined;

/** What a handler is given: the parsed request and who asks. */
export type Request<P, Q, B> = {
  readonly params: In<P>;
  readonly query: In<Q>;
  readonly body: In<B>;
  readonly caller: Caller;
  /** Version named by If-Match; set on routes with `precondition: 'if-match'`. */
  readonly expectedVersion: number;
  /** Origin under which this request came in. */
  readonly origin: string;
  /** Address of the client, where the platform tells it. */
  readonly source: string | undefined;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
};

/** What a handler answers. */
export type Answer<T> = {
  readonly body: T;
  readonly status?: 200 | 201 | 202;
  /** Version of the resource, for the ETag. */
  readonly version?: number;
  readonly headers?: Record<string, string>;
};

/** One route: its place in the access table, its schemas and what it does. */
export type Operation<
  P extends Shape | undefined = Shape | undefined,
  Q extends Shape | undefined = Shape | undefined,
  B extends Shape | 'bytes' | undefined = Shape | 'bytes' | undefined,
  A extends Shape | 'text' | 'bytes' = Shape | 'text' | 'bytes',
> = {
  readonly route: RouteName;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  /** Schema of a JSON body, or the raw kind: the bytes of a file as they are. */
  readonly body?: B;
  /** Schema of a JSON answer, or the raw kind. */
  readonly answers: A;
  readonly status?: 200 | 201 | 202;
  readonly precondition?: 'if-match';
  /** Largest body in bytes; 256 KiB where it is left out. */
  readonly maxBodyBytes?: number;
  readonly run: (
    deps: Dependencies,
    request: Request<P, Q, B>,
  ) => Promise<
    Result<Answer<A extends Shape ? z.input<A> : A extends 'text' ? string : Uint8Array<ArrayBuffer>>>
  >;
};

/** Declares an operation; the handler's types follow from the schemas. */
export const operation = <
  A extends Shape | 'text' | 'bytes',
  P extends Shape | undefined = undefined,
  Q extends Shape | undefined = undefined,
  B extends Shape | 'bytes' | undefined = undefined,
>(
  declared: Operation<P, Q, B, A>,
): Operation => declared as unknown as Operation;
