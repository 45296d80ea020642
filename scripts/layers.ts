import { isBuiltin } from 'node:module';

/** What one workspace is and which workspaces it may lean on; a workspace may always import itself by relative path. */
export type Layer = {
  /** Names after `@sallyport/`, with the subpath where only that entry is allowed; `*` is everything. */
  readonly may: readonly string[];
  /** What its tests may import besides, to meet real things instead of imitations. */
  readonly testsMay?: readonly string[];
  /** Runs on workerd, Deno and Node alike: nothing of Node's. */
  readonly neutral: boolean;
};

const nouns = ['faults', 'model', 'bytes'];

/**
 * The directions between the workspaces, one row each, keyed by folder. What is not listed is forbidden:
 * the control plane cannot open a file-transfer port and a node cannot reach the database.
 */
export const layers: Readonly<Record<string, Layer>> = {
  'packages/faults': { may: [], neutral: true },
  'packages/bytes': { may: ['faults'], neutral: true },
  'packages/model': { may: ['faults', 'bytes'], neutral: true },
  'packages/pki': { may: nouns, neutral: true },
  'packages/policy': { may: nouns, neutral: true },
  'packages/enrolment': { may: nouns, neutral: true },
  'packages/files': { may: nouns, neutral: true },
  'packages/snapshot': { may: [...nouns, 'pki', 'pki/serial-set', 'policy', 'files'], neutral: true },
  'packages/store': { may: [...nouns, 'pki', 'policy', 'snapshot', 'snapshot/publish'], neutral: true },
  'packages/api': {
    may: [...nouns, 'enrolment', 'pki', 'policy', 'snapshot', 'snapshot/publish', 'store'],
    neutral: true,
  },
  'packages/client': { may: [...nouns, 'enrolment'], neutral: true },
  'packages/sftp': { may: [...nouns, 'files'], testsMay: ['files/disk'], neutral: true },
  'packages/ftp': { may: [...nouns, 'files'], testsMay: ['files/disk'], neutral: true },
  'apps/control-plane': {
    may: [...nouns, 'enrolment', 'pki', 'policy', 'snapshot', 'snapshot/publish', 'store', 'api', 'client'],
    neutral: false,
  },
  'apps/data-plane': {
    may: [
      ...nouns,
      'enrolment',
      'pki',
      'policy',
      'files',
      'files/disk',
      'snapshot',
      'snapshot/node',
      'client',
      'sftp',
      'ftp',
    ],
    testsMay: ['snapshot/publish'],
    neutral: false,
  },
  'apps/cli': {
    may: [
      ...nouns,
      'enrolment',
      'pki',
      'snapshot',
      'snapshot/node',
      'snapshot/publish',
      'store',
      'api/init',
      'client',
      'control-plane/*',
      'data-plane/*',
    ],
    neutral: false,
  },
  test: { may: ['*'], neutral: false },
  scripts: { may: [], neutral: false },
  bench: { may: ['*'], neutral: false },
};

/** The disk is the one thing of Node's that a neutral package holds; only a node imports that entry. */
const nodeOnly = /^packages\/files\/src\/disk(\/|[^/]*$)/;

/** Is the file (path from the root) held to neutrality? Tests are not. */
export function isNeutral(layer: Layer, file: string): boolean {
  return layer.neutral && !isTest(file) && !nodeOnly.test(file);
}

/** Is this a test, or what only tests use (a folder `fixture`), that may also use what only development needs? */
export function isTest(file: string): boolean {
  return /\.test\.[a-z]+$|(^|\/)fixture\/|^(test|bench)\//.test(file);
}

/** Does the specifier name a module that is part of Node, with or without `node:`? */
export function isNodeModule(specifier: string): boolean {
  return specifier.startsWith('node:') || isBuiltin(specifier);
}

/**
 * May a file import that?
 *
 * @param layer row of the file's workspace
 * @param file path of the file from the root
 * @param target workspace and subpath after `@sallyport/`: `snapshot/publish`
 */
export function mayImport(layer: Layer, file: string, target: string): boolean {
  const workspace = target.split('/')[0];
  const allowed = isTest(file) ? [...layer.may, ...(layer.testsMay ?? [])] : layer.may;
  return allowed.some((name) => name === '*' || name === target || name === `${workspace}/*`);
}
