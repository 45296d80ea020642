import { ok, type Result, refuse } from '@sallyport/faults';
import type { FileOperation, PathPermission } from '@sallyport/model';
import { namesOf, type VirtualPath } from './path.ts';

/** What a session may do with files. Asked on every call, so it may change while the session lasts. */
export type FileGrant = { readonly permissions: readonly PathPermission[] };

/**
 * May this session do that to this path? Compared name by name, so `/in` never covers `/inbox`.
 * No matching permission refuses.
 *
 * @returns nothing, or `permission-denied`
 */
export function authorize(grant: FileGrant, operation: FileOperation, path: VirtualPath): Result<void> {
  const names = namesOf(path);
  let best: PathPermission | undefined;
  let bestDepth = -1;
  for (const permission of grant.permissions) {
    const covered = permission.path.split('/').filter((name) => name !== '');
    if (covered.length > bestDepth && covered.every((name, index) => names[index] === name)) {
      best = permission;
      bestDepth = covered.length;
    }
  }
  return best?.allow.includes(operation)
    ? ok(undefined)
    : refuse('permission-denied', `${operation} ${path} is not permitted`);
}
