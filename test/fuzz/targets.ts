import { scp, sftp } from './file-targets.ts';
import { ftp, proxy, sshKey } from './line-targets.ts';
import type { FuzzTarget } from './target.ts';

/** All that takes bytes of strangers and can be run without a network. */
export const targets: readonly (() => FuzzTarget)[] = [sftp, scp, ftp, proxy, sshKey];
