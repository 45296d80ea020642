import type { AccountFacts } from '@sallyport/policy';
import type { AccountRecord } from '@sallyport/snapshot/node';

/** What a login decision needs to know of an account. */
export const accountFacts = ({
  id,
  groups,
  enabled,
  locked,
  secondFactor,
}: Pick<AccountRecord, 'id' | 'groups' | 'enabled' | 'locked' | 'secondFactor'>): AccountFacts => ({
  id,
  groups,
  enabled,
  locked,
  secondFactor: secondFactor ? 'set' : 'none',
});
