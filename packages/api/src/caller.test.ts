import { explicitScopes } from '@sallyport/model';
import { describe, expect, test } from 'vitest';
import { covers } from './caller.ts';

describe('a granted scope', () => {
  test.each([
    ['servers:read', 'servers:read'],
    ['servers:*', 'servers:write'],
    ['*:read', 'servers:read'],
    ['*:*', 'servers:write'],
    ['servers:*', 'servers:*'],
    ['*:*', 'servers:*'],
    ['*:*', '*:read'],
    ['nodes:approve', 'nodes:approve'],
  ])('%s covers %s', (granted, wanted) => {
    expect(covers(granted, wanted)).toBe(true);
  });

  test.each([
    ['servers:read', 'servers:write'],
    ['servers:read', 'zones:read'],
    ['servers:read', 'servers:*'],
    ['servers:*', '*:*'],
    ['*:read', '*:*'],
    ['*:read', 'servers:*'],
    ['nodes:*', 'nodes:approve'],
    ['nodes:write', 'nodes:approve'],
    ['nodes:approve', 'nodes:write'],
  ])('%s does not cover %s', (granted, wanted) => {
    expect(covers(granted, wanted)).toBe(false);
  });

  test.each(explicitScopes)('%s is granted by name alone', (scope) => {
    for (const wide of ['*:*', `${scope.split(':')[0]}:*`, '*:read']) expect(covers(wide, scope)).toBe(false);
  });
});
