import type { Work, WorkerApplied } from './work.ts';

/** What a worker serves. */
export type Served = Extract<WorkerApplied, { kind: 'applied' }>;

/** `replace`: it cannot serve what is in force, and must not go on with what was before. */
export type Applying = { readonly kind: 'done' } | { readonly kind: 'replace'; readonly why: string };

/**
 * Has a worker apply the snapshot on the disk until that is what is in force. A worker that stumbles is no better than
 * one that refuses: whoever was revoked meanwhile would still be served by it.
 *
 * @param options.wanted digest of the manifest in force; nothing before there is one
 * @param options.isUp whether the worker is there; one that has ended serves nobody
 * @param options.served told of each snapshot that the worker serves
 * @param options.lateMs how long one snapshot may take
 */
export async function applyWanted(
  work: Pick<Work, 'apply'>,
  options: {
    readonly wanted: () => string | undefined;
    readonly isUp: () => boolean;
    readonly served: (applied: Served) => void;
    readonly lateMs: number;
  },
): Promise<Applying> {
  const { wanted, isUp } = options;
  while (isUp() && wanted() !== undefined) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'takes too long'>((resolve) => {
      timer = setTimeout(resolve, options.lateMs, 'takes too long').unref();
    });
    const applied = await Promise.race([
      work.apply().catch(() => 'stumbles over the snapshot' as const),
      late,
    ]);
    clearTimeout(timer);
    if (!isUp()) break;
    if (typeof applied === 'string') return { kind: 'replace', why: applied };
    if (applied.kind === 'failed') return { kind: 'replace', why: `refuses the snapshot: ${applied.fault}` };
    options.served(applied);
    if (applied.manifestDigest === wanted()) break;
  }
  return { kind: 'done' };
}
