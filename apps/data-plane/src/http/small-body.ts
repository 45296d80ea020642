import { ok, type Result, refuse } from '@sallyport/faults';
import { type Incoming, isWhole } from './exchange.ts';

/** A body that is small needs no longer, however slow the line is. */
const longestMs = 30_000;

/**
 * Reads a body that has to be small, as UTF-8.
 *
 * @param most bytes
 * @param withinMs then the wait for it ends, and with HTTP/1.1 the connection
 * @returns `body-too-large`, `message-malformed` where it is not UTF-8, `transfer-cut`
 */
export async function readText(
  incoming: Incoming,
  most: number,
  withinMs = longestMs,
): Promise<Result<string>> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => incoming.destroy(), withinMs);
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > most) return refuse('body-too-large');
      chunks.push(chunk);
    }
    if (!isWhole(incoming)) return refuse('transfer-cut');
  } catch {
    return refuse('transfer-cut');
  } finally {
    clearTimeout(timer);
  }
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    return refuse('message-malformed', 'not UTF-8');
  }
}
