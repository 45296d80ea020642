import { type Bytes, concat, copyOf } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import { maxCrlFileBytes } from '@sallyport/pki';
import { isInnerHost } from './list-address.ts';

/**
 * One GET request that follows no redirect. Where the platform lets it, it connects to no address of this network
 * unless that is allowed: a name may resolve to anything.
 */
export type ListRequest = (url: URL, signal: AbortSignal) => Promise<Response>;

/** How lists are fetched on this platform. */
export type ListFetching = {
  readonly request: ListRequest;
  /** May lists be fetched from this network's own addresses? */
  readonly innerAddresses: 'refused' | 'allowed';
};

const timeLimitMs = 15_000;
const mostRedirects = 3;

const unreachable = (detail: string): FaultError => new FaultError({ code: 'crl-unreachable', detail });

/** The URL, where it may be asked. */
function permitted(text: string, base: URL | undefined, { innerAddresses }: ListFetching): URL {
  const url = URL.parse(text, base);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw unreachable('the URL is not one of http or https');
  }
  if (url.username !== '' || url.password !== '') throw unreachable('the URL holds credentials');
  if (innerAddresses === 'refused' && isInnerHost(url.hostname)) {
    throw unreachable(`${url.hostname} is of this network, and that is not allowed here`);
  }
  return url;
}

async function readBounded(response: Response): Promise<Bytes> {
  const reader = response.body?.getReader();
  if (!reader) return new Uint8Array(0);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...pieces);
    length += value.length;
    if (length > maxCrlFileBytes) {
      await reader.cancel();
      throw unreachable(`more than ${maxCrlFileBytes} bytes`);
    }
    pieces.push(copyOf(value));
  }
}

/**
 * Downloads a revocation list: http or https, at most 3 redirects, 8 MiB and 15 seconds. What comes is trusted for its
 * signature, not for where it came from.
 *
 * @throws FaultError `crl-unreachable`; its detail never holds what the other side said
 */
export async function downloadList(fetching: ListFetching, address: string): Promise<Bytes> {
  const signal = AbortSignal.timeout(timeLimitMs);
  try {
    let url = permitted(address, undefined, fetching);
    for (let redirects = 0; ; redirects++) {
      const response = await fetching.request(url, signal);
      if (response.status === 200) return await readBounded(response);
      await response.body?.cancel();
      const location = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
        throw unreachable(`HTTP ${response.status}`);
      }
      if (redirects === mostRedirects) throw unreachable(`more than ${mostRedirects} redirects`);
      url = permitted(location, url, fetching);
    }
  } catch (error) {
    if (error instanceof FaultError) throw error;
    if (signal.aborted) throw unreachable(`no answer within ${timeLimitMs / 1_000} s`);
    throw unreachable('no connection');
  }
}
