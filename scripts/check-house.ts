import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Finding } from './finding.ts';
import { missingOptional } from './lock-file.mjs';
import type { Manifest, SourceTree } from './source-tree.ts';

/** Names that say nothing of what is inside, so everything ends up inside. */
const vague = new Set(['utils', 'util', 'common', 'core', 'shared', 'helpers', 'helper', 'misc']);

/**
 * The rules of the house that are not about directions: names that say something, `index.ts` as a list of named
 * exports, exports that exist, exact and equal versions of dependencies, a lock file of no particular machine.
 */
export function checkHouse(tree: SourceTree): Finding[] {
  return [
    ...vagueNames(tree),
    ...indexFiles(tree),
    ...missingExports(tree),
    ...versions(tree),
    ...lock(tree),
  ];
}

function vagueNames(tree: SourceTree): Finding[] {
  return tree.paths
    .filter((path) => vague.has(basename(path).split('.')[0] ?? ''))
    .map((file) => ({ file, line: 1, message: 'the name says nothing: name it after the concept it holds' }));
}

function indexFiles(tree: SourceTree): Finding[] {
  return tree.files
    .filter(({ path }) => basename(path) === 'index.ts')
    .flatMap(({ path, facts }) =>
      facts.otherThanReexport.map((line) => ({
        file: path,
        line,
        message: 'index.ts holds `export { name } from` alone: move the rest to a file of its own',
      })),
    );
}

function missingExports(tree: SourceTree): Finding[] {
  return tree.areas.flatMap(({ folder, manifest }) =>
    Object.entries(manifest?.exports ?? {})
      .filter(([, path]) => !existsSync(join(tree.root, folder, path)))
      .map(([entry, path]) => ({
        file: `${folder}/package.json`,
        line: 1,
        message: `exports '${entry}' as ${path}, which does not exist`,
      })),
  );
}

const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

function versions(tree: SourceTree): Finding[] {
  const seen = new Map<string, { readonly version: string; readonly file: string }>();
  const findings: Finding[] = [];
  const manifests: [string, Manifest][] = [
    ['package.json', tree.manifest],
    ...tree.areas.flatMap(({ folder, manifest }): [string, Manifest][] =>
      manifest ? [[`${folder}/package.json`, manifest]] : [],
    ),
  ];
  for (const [file, manifest] of manifests) {
    for (const [name, version] of dependencies(manifest)) {
      if (name.startsWith('@sallyport/')) continue;
      const before = seen.get(name);
      if (!exact.test(version)) {
        findings.push({ file, line: 1, message: `'${name}': '${version}' is not an exact version` });
      } else if (before && before.version !== version) {
        findings.push({
          file,
          line: 1,
          message: `'${name}' is ${version} here and ${before.version} in ${before.file}: choose one`,
        });
      } else seen.set(name, { version, file });
    }
  }
  return findings;
}

function dependencies(manifest: Manifest): [string, string][] {
  return [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap((list) =>
    Object.entries(list ?? {}),
  );
}

/**
 * An address in the lock file binds every install to the registry of whoever wrote it; an optional package that is
 * missing from it makes `npm ci` fail.
 */
function lock(tree: SourceTree): Finding[] {
  const path = join(tree.root, 'package-lock.json');
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const finding = (line: number, what: string): Finding => ({
    file: 'package-lock.json',
    line,
    message: `${what}: run \`npm run lock\``,
  });
  const addresses = text
    .split('\n')
    .flatMap((row, at) =>
      /"resolved": "(https?|file|git[+\w]*):/.test(row) ? [finding(at + 1, 'names an address')] : [],
    );
  const missing = missingOptional(JSON.parse(text)).map(({ name, askedBy }) =>
    finding(1, `has no entry for '${name}', which ${askedBy} may need on another platform`),
  );
  return [...addresses, ...missing];
}
