import { expect, test } from 'vitest';
import { nodeComplaint } from './node-version.mjs';

test.each(['v24.7.0', 'v24.20.0', 'v25.0.0', 'v26.1.0'])('Node %s will do', (version) => {
  expect(nodeComplaint(version, false)).toBeUndefined();
});

test.each(['v20.20.2', 'v22.99.0', 'v24.6.9'])('Node %s is refused, with what to do', (version) => {
  expect(nodeComplaint(version, true)).toContain('node_modules/.bin');
  expect(nodeComplaint(version, false)).toContain('npm ci');
});
