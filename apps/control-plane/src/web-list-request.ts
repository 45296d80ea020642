import type { ListRequest } from '@sallyport/api';

/**
 * Requests for revocation lists where fetch is all there is. Workers reach no private network; Deno connects to no host
 * but those that its permissions name.
 */
export const webListRequest: ListRequest = (url, signal) => fetch(url, { redirect: 'manual', signal });
