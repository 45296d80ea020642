#!/usr/bin/env node
// Checks the Node that runs before anything else is loaded: older ones cannot read TypeScript.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `sallyport needs Node 24.7 or newer, this is ${process.version}.\n` +
      'npm scripts and npx use the packaged Node 24.20.0: run `npm ci` without --ignore-scripts, or install Node 24.',
  );
  process.exit(1);
}
const { loadQuickly } = await import('./quick-loading.mjs');
loadQuickly();
const { main } = await import('./main.ts');
await main(process.argv);
