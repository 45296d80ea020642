import { type FaultCode, faults } from '@sallyport/faults';
import { childOf, parentOf, type VirtualPath } from '@sallyport/files';
import { type LockGuard, lockPathOf } from '../dav/lock-guard.ts';
import type { Exchange } from '../exchange.ts';
import { hrefOf } from '../href.ts';
import { answer, isGone } from '../outgoing.ts';
import type { Pace } from '../pace.ts';
import { sendProblem } from '../problem.ts';
import { removeTree } from '../remove-tree.ts';
import { readText } from '../small-body.ts';
import { type Target, targetOf } from '../target.ts';
import { deletePage, failurePage, renamePage } from './action-page.ts';
import { storeForm } from './form-upload.ts';
import type { PageUser } from './layout.ts';
import { sendPage } from './send-page.ts';

const maxFormBytes = 16_384;

/** A request to one of the paths that are ours, of somebody who is signed in. */
export type Action = Omit<Exchange, 'path'> & {
  readonly user: PageUser;
  /** Judges the token that a form sent along. */
  readonly isTrusted: (token: string | null) => boolean;
};

export type ActionMeans = { readonly guard: LockGuard; readonly pace: Pace };

const seeOther = ({ outgoing }: Action, path: VirtualPath): void =>
  answer(outgoing, 303, { Location: hrefOf(path, 'directory'), 'Cache-Control': 'no-store' });

function fail({ outgoing, user }: Action, code: FaultCode, back: VirtualPath | undefined): void {
  const { http, text } = faults[code];
  sendPage(outgoing, http, failurePage([{ text }], back ? hrefOf(back, 'directory') : '/', user));
}

/** The fields of a form that came with the token of the session; nothing where it was answered already. */
export async function formOf(action: Action): Promise<URLSearchParams | undefined> {
  const body = await readText(action.incoming, maxFormBytes);
  if (!body.ok) {
    sendProblem(action.outgoing, body.fault.code);
    return undefined;
  }
  const form = new URLSearchParams(body.value);
  if (action.isTrusted(form.get('token'))) return form;
  fail(action, 'forgery-suspected', undefined);
  return undefined;
}

const targetIn = (text: string | null): Target | undefined => {
  const target = targetOf(text ?? '');
  return target.ok && text !== '' && text !== null ? target.value : undefined;
};

/** Shows a form that asks before it acts: GET with the path in the query. */
export function askBefore(action: Action, what: 'rename' | 'delete'): void {
  const query = (action.incoming.url ?? '').split('?')[1] ?? '';
  const target = targetIn(new URLSearchParams(query).get('path'));
  if (!target || target.path === '/') {
    fail(action, 'path-invalid', undefined);
    return;
  }
  const make = what === 'rename' ? renamePage : deletePage;
  sendPage(action.outgoing, 200, make(target.path, target.form, action.user));
}

/** POST of files. */
export async function uploadForm(action: Action, means: ActionMeans): Promise<void> {
  const result = await storeForm(action, { ...means, isTrusted: action.isTrusted });
  if (isGone(action.outgoing)) return;
  if (!result.ok) return fail(action, result.fault.code, undefined);
  const { directory, refused, stored } = result.value;
  if (refused.length === 0) {
    // No file was chosen, or none reached us with its fields before it.
    if (directory === undefined)
      return fail(action, stored === 0 ? 'message-malformed' : 'internal', undefined);
    return seeOther(action, directory);
  }
  const back = directory ? hrefOf(directory, 'directory') : '/';
  const problems = refused.map(({ what, code }) => ({ what, text: faults[code].text }));
  sendPage(
    action.outgoing,
    faults[refused[0]?.code ?? 'internal'].http,
    failurePage(problems, back, action.user),
  );
}

/** POST of a new directory. */
export async function makeFolder(action: Action, { guard }: ActionMeans): Promise<void> {
  const form = await formOf(action);
  if (!form) return;
  const directory = targetIn(form.get('directory'))?.path;
  const path = directory && childOf(directory, form.get('name') ?? '');
  if (!path?.ok) return fail(action, 'path-invalid', directory);
  const refusal = await guard.refusal({ ...action, path: path.value }, [
    { path: path.value, reach: 'member' },
  ]);
  if (refusal) return fail(action, refusal, directory);
  const made = await action.session.files.makeDirectory(path.value);
  if (!made.ok) return fail(action, made.fault.code, directory);
  seeOther(action, parentOf(path.value));
}

/** POST of another name in the same directory. */
export async function renameEntry(action: Action, { guard }: ActionMeans): Promise<void> {
  const form = await formOf(action);
  if (!form) return;
  const from = targetIn(form.get('path'))?.path;
  const directory = from && parentOf(from);
  const to = directory && childOf(directory, form.get('name') ?? '');
  if (!from || from === '/' || !to?.ok) return fail(action, 'path-invalid', directory);
  if (to.value === from) return seeOther(action, parentOf(from));
  const refusal = await guard.refusal({ ...action, path: from }, [
    { path: from, reach: 'tree' },
    { path: from, reach: 'member' },
    { path: to.value, reach: 'tree' },
  ]);
  if (refusal) return fail(action, refusal, directory);
  const renamed = await action.session.files.rename(from, to.value, 'refuse');
  if (!renamed.ok) return fail(action, renamed.fault.code, directory);
  await guard.table.forget(lockPathOf(action.session, from));
  seeOther(action, parentOf(from));
}

/** POST that deletes a file, or a directory with everything in it. */
export async function deleteEntry(action: Action, { guard }: ActionMeans): Promise<void> {
  const form = await formOf(action);
  if (!form) return;
  const path = targetIn(form.get('path'))?.path;
  if (!path || path === '/') return fail(action, 'path-invalid', undefined);
  const refusal = await guard.refusal({ ...action, path }, [
    { path, reach: 'tree' },
    { path, reach: 'member' },
  ]);
  if (refusal) return fail(action, refusal, parentOf(path));
  const { session, outgoing } = action;
  const removed = await removeTree(session.files, path, () => !session.ended.aborted && !isGone(outgoing));
  if (!removed.ok) return fail(action, removed.fault.code, parentOf(path));
  await guard.table.forget(lockPathOf(session, path));
  seeOther(action, parentOf(path));
}
