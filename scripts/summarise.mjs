/**
 * Counts the tests of a report. A file that could not be loaded, or whose hooks failed, counts as one failure
 * although none of its tests did; so does a report that cannot be read.
 *
 * @param {string} text JSON as written by vitest's reporter `json`
 * @returns {{ line: string, passed: boolean }} passed = something passed and nothing failed
 */
export function summarise(text) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const { status, assertionResults } of JSON.parse(text).testResults) {
      for (const result of assertionResults) {
        if (result.status === 'passed') counts.passed += 1;
        else if (result.status === 'failed') counts.failed += 1;
        else counts.skipped += 1;
      }
      const told = assertionResults.some((result) => result.status === 'failed');
      if (status === 'failed' && !told) counts.failed += 1;
    }
  } catch {
    counts.failed += 1;
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  return {
    line: `${counts.passed} passed, ${counts.failed} failed${skipped}`,
    passed: counts.passed > 0 && counts.failed === 0,
  };
}
