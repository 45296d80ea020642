// Which Node runs Sallyport. Written for the Node that may be too old: nothing newer than Node 20 here.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Oldest Node that has what Sallyport needs; package.json pins the exact one that it is tested on. */
const oldest = [24, 7];

/**
 * What is wrong with the Node that runs this, or undefined.
 *
 * @param {string} version as in `process.version`: `v24.20.0`
 * @param {boolean} packaged is the packaged Node installed?
 * @returns {string | undefined} a sentence for a person, with what to do
 */
export function nodeComplaint(version, packaged) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
  const need = `Sallyport needs Node ${oldest.join('.')} or newer, but this is Node ${version.replace(/^v/, '')}`;
  return packaged
    ? `${need}. The packaged Node is in node_modules/.bin: start through npm (npm start, npm test), or put that folder first in PATH.`
    : `${need}, and the packaged Node is not installed. Run \`npm ci\` without --ignore-scripts and --omit=optional, or install Node ${oldest.join('.')} or newer.`;
}

/** Ends the process with status 1 and a clear message when its Node is too old. */
export function requireNode() {
  const windows = process.platform === 'win32';
  const executable = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
  const complaint = nodeComplaint(process.version, existsSync(executable));
  if (!complaint) return;
  console.error(`sallyport: ${complaint}`);
  process.exit(1);
}
