import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cycles } from './cycles.ts';
import type { Finding } from './finding.ts';
import { isNeutral, isNodeModule, isTest, type Layer, layers, mayImport } from './layers.ts';
import type { ModuleImport } from './module-imports.ts';
import {
  areaOf,
  packageOf,
  relativeTarget,
  type SourceFile,
  type SourceTree,
  workspaceNamed,
} from './source-tree.ts';

/** Modules that a platform provides by scheme, and the one folder that is written for that platform. */
const platformSchemes: Readonly<Record<string, string>> = { 'cloudflare:': 'apps/control-plane' };

/**
 * Judges every import of the tree by the table of layers: directions, neutrality, declared dependencies, entries that
 * exist, and no cycle between files or workspaces. Answers one finding for each breach; none when all is well.
 */
export function checkImports(tree: SourceTree): Finding[] {
  const findings: Finding[] = [];
  const fileGraph = new Map<string, Set<string>>();
  const workspaceGraph = new Map<string, Set<string>>();
  for (const area of tree.areas) workspaceGraph.set(area.folder, new Set());

  for (const file of tree.files) {
    const edges = new Set<string>();
    fileGraph.set(file.path, edges);
    const layer = layers[file.area.folder];
    if (!layer) continue;
    if (file.facts.error) {
      findings.push({ file: file.path, line: file.facts.error.line, message: file.facts.error.message });
    }
    for (const found of file.facts.imports) {
      const verdict = judge(tree, file, layer, found);
      if (verdict.complaint) findings.push({ file: file.path, line: found.line, message: verdict.complaint });
      if (verdict.target) edges.add(verdict.target);
      const toward = verdict.target && areaOf(tree, verdict.target)?.folder;
      // What only tests use is nobody's lower layer: the tests of a low one may start the whole product.
      const product = verdict.target && !isTest(verdict.target);
      if (toward && product && toward !== file.area.folder) workspaceGraph.get(file.area.folder)?.add(toward);
    }
  }
  for (const { folder, manifest } of tree.areas) {
    if (!layers[folder])
      findings.push({
        file: manifest ? `${folder}/package.json` : folder,
        line: 1,
        message: 'no row for this workspace: add one to the table in scripts/layers.ts',
      });
  }
  for (const cycle of cycles(fileGraph)) findings.push(cycleFinding(tree, cycle));
  for (const cycle of cycles(workspaceGraph)) {
    findings.push({
      file: cycle[0] ?? '',
      line: 1,
      message: `cycle between workspaces: ${cycle.join(' -> ')}; move what both need to a layer below`,
    });
  }
  return findings;
}

/** What an import leads to (a file of the tree, path from the root) and what is wrong with it, if anything. */
type Verdict = { readonly target?: string; readonly complaint?: string };

function judge(tree: SourceTree, file: SourceFile, layer: Layer, { specifier }: ModuleImport): Verdict {
  const neutral = isNeutral(layer, file.path);
  if (specifier === undefined) {
    return neutral ? { complaint: 'import of a computed name: name the module in a literal' } : {};
  }
  if (specifier.startsWith('.')) return judgeRelative(tree, file, specifier);
  if (isNodeModule(specifier)) {
    return neutral
      ? {
          complaint: `'${specifier}' is Node's, but this package runs on every runtime: take it as an argument or move the file to an app`,
        }
      : {};
  }
  const { name, entry } = packageOf(specifier);
  if (name.startsWith('@sallyport/')) return judgeWorkspace(tree, file, layer, specifier);
  const scheme = Object.keys(platformSchemes).find((prefix) => specifier.startsWith(prefix));
  if (scheme && platformSchemes[scheme] === file.area.folder) return {};
  return isDeclared(tree, file, name)
    ? {}
    : {
        complaint: `'${name}'${entry === '.' ? '' : ` (for '${specifier}')`} is not declared: add it with an exact version to ${
          file.area.manifest ? `${file.area.folder}/package.json` : 'package.json'
        }`,
      };
}

function judgeRelative(tree: SourceTree, file: SourceFile, specifier: string): Verdict {
  const target = relativeTarget(file.path, specifier);
  const area = areaOf(tree, target);
  if (isTest(target) && !isTest(file.path)) return { target, complaint: `'${specifier}' is for tests alone` };
  if (area === file.area || (isTest(file.path) && area?.folder === 'test')) {
    return existsSync(join(tree.root, target))
      ? { target }
      : { complaint: `'${specifier}' does not exist; write the whole file name with its extension` };
  }
  return {
    target,
    complaint: `'${specifier}' leaves ${file.area.folder}: import another workspace by its name, through its exports`,
  };
}

function judgeWorkspace(tree: SourceTree, file: SourceFile, layer: Layer, specifier: string): Verdict {
  const { name, entry } = packageOf(specifier);
  const workspace = workspaceNamed(tree, name);
  if (!workspace) return { complaint: `no workspace is named '${name}'` };
  const exported = workspace.manifest?.exports?.[entry];
  if (!exported)
    return { complaint: `${name} does not export '${entry}': see ${workspace.folder}/package.json` };
  const target = relativeTarget(`${workspace.folder}/package.json`, exported);
  if (workspace === file.area)
    return { target, complaint: `'${specifier}' is this workspace: import its file` };
  if (mayImport(layer, file.path, specifier.slice('@sallyport/'.length))) return { target };
  return {
    target,
    complaint: `${file.area.folder} may not import '${specifier}'; the directions are in scripts/layers.ts`,
  };
}

function isDeclared(tree: SourceTree, file: SourceFile, name: string): boolean {
  const types = `@types/${name.replace(/^@/, '').replace('/', '__')}`;
  const own = file.area.manifest ?? tree.manifest;
  const manifests = isTest(file.path) ? [own, tree.manifest] : [own];
  return manifests.some((manifest) =>
    [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies].some(
      (list) => list && (name in list || types in list),
    ),
  );
}

function cycleFinding(tree: SourceTree, cycle: readonly string[]): Finding {
  const [first = '', second = ''] = cycle;
  const file = tree.files.find(({ path }) => path === first);
  const line = file?.facts.imports.find(
    ({ specifier }) => specifier?.startsWith('.') && relativeTarget(first, specifier) === second,
  )?.line;
  return {
    file: first,
    line: line ?? 1,
    message: `cycle between files: ${cycle.join(' -> ')}; move what both need to a third file`,
  };
}
