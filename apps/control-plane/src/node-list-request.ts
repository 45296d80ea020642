import { lookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { isInnerHost, type ListRequest } from '@sallyport/api';

/** Resolves a name, and refuses where one of its addresses is of this network: it may say one thing now and another then. */
const outerLookup: LookupFunction = (name, options, done) =>
  lookup(name, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error || !first) return done(error ?? new Error('no address'), '', 0);
    if (addresses.some(({ address }) => isInnerHost(address))) return done(new Error('inner address'), '', 0);
    if (options.all) return done(null, addresses);
    return done(null, first.address, first.family);
  });

/**
 * Requests for revocation lists on Node. The address is looked at as the connection is made, so that no name leads to
 * this network's own addresses unless that is allowed.
 */
export const nodeListRequest =
  (innerAddresses: 'refused' | 'allowed'): ListRequest =>
  async (url, signal) => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = send(url, {
        signal,
        agent: false,
        ...(innerAddresses === 'refused' ? { lookup: outerLookup } : {}),
      });
      outgoing.on('response', resolve);
      outgoing.on('error', reject);
      outgoing.end();
    });
    answer.on('error', () => {});
    const { statusCode = 0, headers } = answer;
    // 1xx is no answer, and what is out of range none that fetch knows.
    if (statusCode < 200 || statusCode > 599) throw new Error('no HTTP answer');
    const empty = statusCode === 204 || statusCode === 205 || statusCode === 304;
    const body = empty ? null : (Readable.toWeb(answer) as unknown as ReadableStream<Uint8Array>);
    const location = headers.location === undefined ? {} : { location: headers.location };
    return new Response(body, { status: statusCode, headers: location });
  };
