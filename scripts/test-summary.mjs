// Prints one line, `N passed, N failed` or `N passed, N failed, N skipped`, from the report of vitest's JSON reporter.
//   node scripts/test-summary.mjs REPORT
// Ends with status 1 when something failed, nothing ran, or there is no report. Runs under Node 20 too.
import { readFileSync } from 'node:fs';
import { summarise } from './summarise.mjs';

let text = '';
try {
  text = readFileSync(process.argv[2] ?? '', 'utf8');
} catch {
  // No report: the run broke off before its end. `summarise` counts that as a failure.
}
const { line, passed } = summarise(text);
console.log(line);
if (!passed) process.exitCode = 1;
