import type { CrlRuleContent } from '@sallyport/snapshot/publish';
import {
  allCrlChunks,
  allCrlFacts,
  type CertificateRow,
  type CrlFacts,
  findCrlChunk,
  type Queries,
} from '@sallyport/store';

/** The store has moved on since a publication read it: it starts anew. */
export class ContentMoved extends Error {
  override readonly name = 'ContentMoved';
}

/** Is the certificates' revocation looked up in a list of this CA? */
export const checksCrl = (row: Pick<CertificateRow, 'kind' | 'revocation'>): boolean =>
  row.kind === 'trusted' && row.revocation === 'crl';

/**
 * What nodes check certificates of the CAs against.
 *
 * @param cas those that are trusted
 * @param later answers after `queries` has ended: chunks are read when a zone turns out not to have them
 */
export async function readCrlRules(
  queries: Queries,
  later: Queries,
  cas: readonly CertificateRow[],
): Promise<CrlRuleContent[]> {
  const checked = cas.filter(checksCrl);
  if (checked.length === 0) return [];
  const lists = new Map((await allCrlFacts(queries)).map((list) => [list.ca, list]));
  const chunks = Map.groupBy(await allCrlChunks(queries), ({ ca }) => ca);
  return checked.map(({ id, onStaleCrl }) => {
    const list = lists.get(id);
    return {
      ca: id,
      onStaleCrl: onStaleCrl ?? 'accept-with-alarm',
      ...(list ? { list: { ...listContent(list), chunks: chunksOf(id) } } : {}),
    };
  });

  function chunksOf(ca: string) {
    return (chunks.get(ca) ?? []).map((name) => ({
      sha256: name.sha256,
      async load() {
        const bytes = await findCrlChunk(later, name);
        if (!bytes) throw new ContentMoved(`a list of ${ca} has been replaced`);
        return bytes;
      },
    }));
  }
}

const listContent = ({ number, thisUpdate, nextUpdate, entries }: CrlFacts) => ({
  number,
  thisUpdate,
  nextUpdate: nextUpdate ?? thisUpdate,
  entries,
});
