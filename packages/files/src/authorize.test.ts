import { unwrap } from '@sallyport/faults';
import { describe, expect, it } from 'vitest';
import { authorize, type FileGrant } from './authorize.ts';
import { virtualPath } from './path.ts';

const grant: FileGrant = {
  permissions: [
    { path: '/', allow: ['list'] },
    { path: '/in', allow: ['create', 'list'] },
    { path: '/in/done/', allow: ['read'] },
    { path: '/closed', allow: [] },
  ],
};

describe('authorize', () => {
  it.each([
    ['list', '/', true],
    ['list', '/other/deep', true],
    ['read', '/', false],
    ['create', '/in/f', true],
    ['create', '/in', true],
    ['create', '/inbox/f', false],
    ['create', '/IN/f', false],
    // The longest path alone decides: nothing is inherited.
    ['list', '/in/done/f', false],
    ['read', '/in/done/f', true],
    ['list', '/closed', false],
    ['list', '/closed/f', false],
  ] as const)('%s %s: %s', (operation, path, allowed) => {
    const result = authorize(grant, operation, unwrap(virtualPath(path)));
    expect(result.ok ? 'allowed' : result.fault.code).toBe(allowed ? 'allowed' : 'permission-denied');
  });

  it('permits nothing without permissions', () => {
    expect(authorize({ permissions: [] }, 'list', unwrap(virtualPath('/'))).ok).toBe(false);
  });
});
