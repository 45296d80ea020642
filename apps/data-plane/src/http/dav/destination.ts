import { type Result, refuse } from '@sallyport/faults';
import { authorityOf, headerValues, type Incoming } from '../exchange.ts';
import { type Target, targetOf } from '../target.ts';

/**
 * Where COPY and MOVE go (RFC 4918 section 10.3): a path of ours, or the whole URL with the host that the request was
 * sent to. It is decoded once, by the same rules as a request target.
 *
 * @returns `destination-elsewhere` (502) for another host; `path-invalid`; `message-malformed` where it is missing
 */
export function destinationOf(incoming: Incoming): Result<Target> {
  const [text, ...others] = headerValues(incoming, 'destination');
  if (text === undefined || others.length > 0) return refuse('message-malformed', 'no single Destination');
  const url = /^(https?):\/\/([^/?#]*)/i.exec(text);
  if (url && url[2]?.toLowerCase() !== authorityOf(incoming).toLowerCase())
    return refuse('destination-elsewhere');
  // Two slashes would name a host.
  if (!url && !/^\/(?!\/)/.test(text)) return refuse('path-invalid', 'neither a path nor a URL');
  return targetOf(text);
}

/** Overwrite: absent is yes (RFC 4918 section 10.6). */
export const mayOverwrite = (incoming: Incoming): boolean =>
  headerValues(incoming, 'overwrite')[0]?.trim().toUpperCase() !== 'F';

/** Depth, where it is one of those that there are. @param otherwise what its absence means */
export function depthOf<D extends '0' | '1' | 'infinity'>(
  incoming: Incoming,
  otherwise: D,
): '0' | '1' | 'infinity' | undefined {
  const depth = headerValues(incoming, 'depth')[0]?.trim().toLowerCase() ?? otherwise;
  return depth === '0' || depth === '1' || depth === 'infinity' ? depth : undefined;
}
