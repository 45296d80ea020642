import { FaultError } from '@sallyport/faults';
import { explicitScopes } from '@sallyport/model';
import type { NodeRow, Reach, TokenRow } from '@sallyport/store';

/** Who asks: nobody in particular, the holder of a token, a machine that proved a join token, or a node. */
export type Caller =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'token'; readonly token: TokenRow }
  | { readonly kind: 'invited'; readonly joinToken: string }
  | { readonly kind: 'node'; readonly node: NodeRow };

/** Does a granted scope cover a wanted one? A wildcard never covers an explicit scope. */
export function covers(granted: string, wanted: string): boolean {
  if (granted === wanted) return true;
  if ((explicitScopes as readonly string[]).includes(wanted)) return false;
  const [grantedNoun, grantedAction] = granted.split(':');
  const [wantedNoun, wantedAction] = wanted.split(':');
  return (
    (grantedNoun === '*' || grantedNoun === wantedNoun) &&
    (grantedAction === '*' || grantedAction === wantedAction)
  );
}

/** Does the token hold that scope? */
export const holds = (token: Pick<TokenRow, 'scopes'>, wanted: string): boolean =>
  token.scopes.some((granted) => covers(granted, wanted));

/** Does the caller's token reach that zone? */
export const reaches = (caller: Caller, zone: string): boolean =>
  caller.kind === 'token' && (caller.token.zones === '*' || caller.token.zones.includes(zone));

/** The zones that the caller's token reaches: lists hold nothing else. */
export const reachOf = (caller: Caller): Reach => (caller.kind === 'token' ? caller.token.zones : []);

/** Throws FaultError `forbidden` where the token does not hold the scope. */
export function requireScope(caller: Caller, wanted: string): void {
  if (caller.kind !== 'token' || !holds(caller.token, wanted)) {
    throw new FaultError({ code: 'forbidden', detail: `needs the scope ${wanted}` });
  }
}

/** Throws FaultError `forbidden` where the token does not reach every one of the zones; `all` needs `*`. */
export function requireZones(caller: Caller, zones: readonly string[] | 'all'): void {
  const allowed =
    zones === 'all'
      ? caller.kind === 'token' && caller.token.zones === '*'
      : zones.every((zone) => reaches(caller, zone));
  if (!allowed) {
    throw new FaultError({
      code: 'forbidden',
      detail:
        zones === 'all' ? 'needs a token for all zones' : `the token does not reach ${zones.join(', ')}`,
    });
  }
}

/** The caller as the audit log names it. */
export function actorOf(caller: Caller): string {
  switch (caller.kind) {
    case 'anyone':
      return 'anyone';
    case 'token':
      return `token:${caller.token.id}`;
    case 'invited':
      return `join-token:${caller.joinToken}`;
    case 'node':
      return `node:${caller.node.id}`;
  }
}
