import type { DirectoryEntry, FileAttributes } from '@sallyport/files';
import type { FileOperation } from '@sallyport/model';
import { timeValue } from './time-value.ts';

/** The facts of MLSD and MLST that are served, in the order they are written (RFC 3659 section 7.5). */
export const knownFacts = ['type', 'size', 'modify', 'perm', 'unique', 'UNIX.mode'] as const;
export type Fact = (typeof knownFacts)[number];

/** What is written until OPTS MLST says otherwise. */
export const defaultFacts: readonly Fact[] = knownFacts;

const typeFacts: Readonly<Record<FileAttributes['kind'], string>> = {
  file: 'file',
  directory: 'dir',
  link: 'OS.unix=symlink',
  other: 'OS.unix=other',
};

/** Letters of RFC 3659 section 7.5.5 in their order, and what each needs. */
const letters = {
  file: [
    ['a', 'write'],
    ['d', 'delete'],
    ['f', 'rename'],
    ['r', 'read'],
    ['w', 'write'],
  ],
  directory: [
    ['c', 'create'],
    ['d', 'rmdir'],
    ['e', 'list'],
    ['f', 'rename'],
    ['l', 'list'],
    ['m', 'mkdir'],
    ['p', 'delete'],
  ],
  link: [
    ['d', 'delete'],
    ['f', 'rename'],
  ],
  other: [],
} as const satisfies Record<FileAttributes['kind'], readonly (readonly [string, FileOperation])[]>;

/** What may be done to it, by the permissions of the account alone. */
const permissions = (kind: FileAttributes['kind'], permitted: readonly FileOperation[]): string =>
  letters[kind].map(([letter, needed]) => (permitted.includes(needed) ? letter : '')).join('');

/**
 * The facts of an entry and its name, as MLSD and MLST write it, without the end of the line.
 *
 * @param permitted what the account may do at the entry's path
 */
export function factLine(
  entry: DirectoryEntry,
  facts: readonly Fact[],
  permitted: readonly FileOperation[],
): string {
  const { attributes } = entry;
  const values: Readonly<Record<Fact, string | undefined>> = {
    type: typeFacts[attributes.kind],
    size: attributes.kind === 'file' ? String(attributes.size) : undefined,
    modify: timeValue(attributes.modifiedAt),
    perm: permissions(attributes.kind, permitted),
    unique: attributes.identity,
    'UNIX.mode': (attributes.mode & 0o7777).toString(8).padStart(4, '0'),
  };
  const written = facts.map((fact) => (values[fact] === undefined ? '' : `${fact}=${values[fact]};`));
  return `${written.join('')} ${entry.name}`;
}
