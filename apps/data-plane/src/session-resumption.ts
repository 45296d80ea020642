import { type FilesRoot, filesOf } from './account-files.ts';
import type { CredentialStands } from './login.ts';
import type { PlainAdmission, Session } from './session.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { ZoneView } from './zone-view.ts';

/**
 * Serves a session in this process as well, by what admitted it in another. It is decided anew first.
 *
 * @param id of the session
 * @param stands judges the client certificate of the connection, for a session that rests on one
 * @returns nothing where it may not go on, or has ended
 */
export type ResumeSession = (
  id: string,
  admission: PlainAdmission,
  stands: CredentialStands | undefined,
) => Promise<Session | undefined>;

/** Opens the same session here: one place for all processes, the same end for all. */
export function createSessionResumption(options: {
  readonly view: () => ZoneView;
  readonly sessions: SessionRegistry;
  readonly filesRoot: FilesRoot;
}): ResumeSession {
  const { view, sessions, filesRoot } = options;
  return async (id, admission, stands) => {
    const account = await view().accountNamed(admission.account.name);
    if (account?.id !== admission.account.id) return undefined;
    const files = await filesOf(filesRoot, account);
    if (!files) return undefined;
    const session = await sessions.open({ ...admission, ...files, credentialStands: stands }, id);
    if (!session) return undefined;
    let judged: ZoneView;
    do {
      judged = view();
      if (!(await sessions.redecide(session, judged))) {
        session.close();
        return undefined;
      }
    } while (judged !== view());
    return session;
  };
}
