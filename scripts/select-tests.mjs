import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The test files below a folder whose path within it starts with one of the names; all of them without a name.
 *
 * @param {string} folder absolute path
 * @param {readonly string[]} names such as `sftp-password`, or `ssh/` for a folder
 * @returns {{ files: string[], all: string[], unknown: string[] }} absolute paths; the names there are; the names that
 *   select nothing
 */
export function selectTests(folder, names) {
  const suffix = '.test.ts';
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(suffix))
    .map((path) => path.slice(0, -suffix.length))
    .sort();
  const chosen = names.length === 0 ? all : all.filter((path) => names.some((name) => path.startsWith(name)));
  return {
    files: chosen.map((path) => join(folder, `${path}${suffix}`)),
    all,
    unknown: names.filter((name) => !all.some((path) => path.startsWith(name))),
  };
}
