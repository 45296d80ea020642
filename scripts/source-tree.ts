import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type ModuleFacts, moduleFacts } from './module-imports.ts';

/** The part of a package.json that the checks read. */
export type Manifest = {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

/** A workspace, or one of the root's own folders (`test`, `scripts`, `bench`), which have no manifest of their own. */
export type Area = { readonly folder: string; readonly manifest: Manifest | undefined };

/** A source file: `path` is from the root, with `/`. */
export type SourceFile = { readonly path: string; readonly area: Area; readonly facts: ModuleFacts };

/** Everything the checks look at, read once. */
export type SourceTree = {
  readonly root: string;
  readonly manifest: Manifest;
  readonly areas: readonly Area[];
  readonly files: readonly SourceFile[];
  /** Every folder and file below the areas, whatever its kind. */
  readonly paths: readonly string[];
};

const source = /\.(ts|tsx|mts|cts|js|jsx|mjs|cjs)$/;
const skipped = new Set(['node_modules', 'dist', 'coverage']);

/**
 * Reads and parses the sources below a repository root.
 *
 * @param root absolute path of a folder with a package.json
 */
export function readSourceTree(root: string): SourceTree {
  const workspaces = ['packages', 'apps'].flatMap((group) =>
    folders(join(root, group)).map((name) => `${group}/${name}`),
  );
  const areas: Area[] = [
    ...workspaces.map((folder) => ({ folder, manifest: readManifest(join(root, folder, 'package.json')) })),
    ...['test', 'scripts', 'bench']
      .filter((folder) => existsSync(join(root, folder)))
      .map((folder) => ({ folder, manifest: undefined })),
  ];
  const byArea = areas.map((area) => ({ area, paths: walk(root, area.folder) }));
  return {
    root,
    manifest: readManifest(join(root, 'package.json')),
    areas,
    paths: byArea.flatMap(({ paths }) => paths),
    files: byArea.flatMap(({ area, paths }) =>
      paths
        .filter((path) => source.test(path))
        .map((path) => ({ path, area, facts: moduleFacts(path, readFileSync(join(root, path), 'utf8')) })),
    ),
  };
}

/** Which file a relative specifier names, as a path from the root; it need not exist. */
export function relativeTarget(from: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}

/** The area that holds a path from the root, or undefined for a file of the root itself. */
export function areaOf(tree: SourceTree, path: string): Area | undefined {
  return tree.areas.find(({ folder }) => path.startsWith(`${folder}/`));
}

/** The workspace of that package name, or undefined. */
export function workspaceNamed(tree: SourceTree, name: string): Area | undefined {
  return tree.areas.find(({ manifest }) => manifest?.name === name);
}

/** `@scope/name/sub/path` or `name/sub` as package name and exports key (`.` or `./sub/path`). */
export function packageOf(specifier: string): { readonly name: string; readonly entry: string } {
  const parts = specifier.split('/');
  const length = specifier.startsWith('@') ? 2 : 1;
  const rest = parts.slice(length);
  return { name: parts.slice(0, length).join('/'), entry: ['.', ...rest].join('/') };
}

function readManifest(path: string): Manifest {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

function folders(parent: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (skipped.has(entry.name) || entry.name.startsWith('.')) return [];
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? [path, ...walk(root, path)] : [path];
  });
}
