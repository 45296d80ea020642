import { describe, expect, it } from 'vitest';
import { errnoOf, refusalOf } from './disk-errno.ts';

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: some text, open '/srv/files/acme'`), {
    code,
    errno: -1,
    syscall: 'open',
  });

describe('refusalOf', () => {
  it.each([
    ['ENOENT', 'file-not-found'],
    ['EEXIST', 'file-exists'],
    ['ENOTDIR', 'not-a-directory'],
    ['EISDIR', 'is-a-directory'],
    ['ENOTEMPTY', 'directory-not-empty'],
    ['EACCES', 'permission-denied'],
    ['ELOOP', 'permission-denied'],
    ['ENAMETOOLONG', 'path-invalid'],
    ['ENOSPC', 'storage-full'],
    ['EDQUOT', 'storage-full'],
    ['EMFILE', 'handle-limit'],
    ['EIO', 'storage-failed'],
    ['EXDEV', 'storage-failed'],
  ])('takes %s for %s and names no path', (errno, code) => {
    expect(refusalOf(systemError(errno))).toEqual({ ok: false, fault: { code, detail: errno } });
  });

  it('throws on what is no system error', () => {
    const bug = new TypeError('bug');
    expect(() => refusalOf(bug)).toThrow(bug);
    expect(errnoOf(Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBeUndefined();
  });
});
