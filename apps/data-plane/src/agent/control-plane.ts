import { type Bytes, utf8 } from '@sallyport/bytes';
import { signRequest } from '@sallyport/enrolment';
import { type FaultCode, faults, ok, type Result, refuse } from '@sallyport/faults';
import { type EventBatch, type NodeStatus, type PollAnswer, pollAnswer } from '@sallyport/model';
import { type BlobRef, maxDenyListBytes } from '@sallyport/snapshot/node';
import { z } from 'zod';
import type { NodeIdentity } from './identity.ts';

/** What the node holds, so that the poll answers only with news. */
export type Held = {
  readonly after: number;
  readonly epoch: number;
  readonly issuedAt: number;
  readonly root: number;
  /** Sequence of its deny list. */
  readonly deny: number;
};

/** The control plane as a node sees it. A connection that fails is `unreachable`, an answer that refuses a fault. */
export interface ControlPlane {
  poll(held: Held, waitSeconds: number, signal: AbortSignal): Promise<Result<PollAnswer> | 'unreachable'>;
  section(ref: BlobRef, signal: AbortSignal): Promise<Bytes | undefined>;
  status(status: NodeStatus): Promise<Result<void> | 'unreachable'>;
  events(batch: EventBatch): Promise<Result<void> | 'unreachable'>;
}

const requestTimeoutMs = 20_000;
const maxAnswerBytes = 524_288;

const problemShape = z.object({ code: z.string(), detail: z.string().optional() });

/** Talks to the control plane with signed requests (RFC 9421). */
export function connectControlPlane(identity: NodeIdentity, now: () => number): ControlPlane {
  async function send(
    method: 'GET' | 'POST',
    path: string,
    options: { body?: unknown; timeoutMs: number; maxBytes: number; signal?: AbortSignal },
  ): Promise<{ status: number; bytes: Bytes } | 'unreachable'> {
    const url = `${identity.controlPlane}${path}`;
    const body = options.body === undefined ? undefined : utf8(JSON.stringify(options.body));
    const signed = await signRequest(
      { method, url, ...(body ? { body } : {}) },
      { keyId: identity.node, sign: identity.sign },
      now(),
    );
    const timeout = AbortSignal.timeout(options.timeoutMs);
    try {
      const response = await fetch(url, {
        method,
        headers: { ...signed, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body } : {}),
        redirect: 'error',
        signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
      });
      const bytes = await readBounded(response, options.maxBytes);
      return bytes ? { status: response.status, bytes } : 'unreachable';
    } catch {
      return 'unreachable';
    }
  }

  const post = async (path: string, body: unknown): Promise<Result<void> | 'unreachable'> => {
    const answer = await send('POST', path, { body, timeoutMs: requestTimeoutMs, maxBytes: maxAnswerBytes });
    if (answer === 'unreachable') return answer;
    return answer.status === 200 ? ok(undefined) : problemOf(answer);
  };

  return {
    async poll(held, waitSeconds, signal) {
      const query = `after=${held.after}&epoch=${held.epoch}&issuedAt=${held.issuedAt}&root=${held.root}&deny=${held.deny}&wait=${waitSeconds}`;
      const answer = await send('GET', `/v1/node/poll?${query}`, {
        timeoutMs: waitSeconds * 1000 + requestTimeoutMs,
        maxBytes: maxAnswerBytes + maxDenyListBytes,
        signal,
      });
      if (answer === 'unreachable') return answer;
      if (answer.status !== 200) return problemOf(answer);
      const parsed = pollAnswer.safeParse(jsonOf(answer.bytes));
      return parsed.success
        ? ok(parsed.data)
        : refuse('snapshot-malformed', 'the answer to the poll does not parse');
    },
    async section(ref, signal) {
      const answer = await send('GET', `/v1/node/sections/${ref.digest}`, {
        timeoutMs: 120_000,
        maxBytes: ref.size,
        signal,
      });
      return answer !== 'unreachable' && answer.status === 200 ? answer.bytes : undefined;
    },
    status: (status) => post('/v1/node/status', status),
    events: (batch) => post('/v1/node/events', batch),
  };
}

function jsonOf(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function problemOf(answer: { status: number; bytes: Bytes }): Result<never> {
  const problem = problemShape.safeParse(jsonOf(answer.bytes));
  const code = problem.success && problem.data.code in faults ? (problem.data.code as FaultCode) : 'internal';
  return refuse(code, problem.success ? problem.data.detail : `HTTP ${answer.status}`);
}

/** Reads at most the bound: an endless answer is cut, not collected. */
async function readBounded(response: Response, maxBytes: number): Promise<Bytes | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
