import { expect, test } from 'vitest';
import { completeLock, missingOptional } from './lock-file.mjs';

const lock = {
  packages: {
    '': { optionalDependencies: { tool: '1.0.0' } },
    'node_modules/tool': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: {
        '@tool/linux-x64-gnu': '1.0.0',
        '@tool/linux-arm64-musl': '1.0.0',
        '@tool/darwin-arm64': '1.0.0',
        '@tool/linux-arm-gnueabihf': '1.0.0',
        fast: '^2.0.0',
        inner: '1.0.0',
      },
    },
    'node_modules/@tool/linux-x64-gnu': { version: '1.0.0' },
    'node_modules/tool/node_modules/inner': { version: '1.0.0' },
  },
};

test('what is left out is found, wherever the lock file may hold it', () => {
  expect(missingOptional(lock).map(({ name }) => name)).toEqual([
    '@tool/linux-arm64-musl',
    '@tool/darwin-arm64',
    '@tool/linux-arm-gnueabihf',
    'fast',
  ]);
});

test('packages of other platforms are put in with their platform, in order, and nothing else is touched', () => {
  const { packages } = completeLock(lock);
  expect(Object.keys(packages)).toEqual([
    '',
    'node_modules/@tool/darwin-arm64',
    'node_modules/@tool/linux-arm-gnueabihf',
    'node_modules/@tool/linux-arm64-musl',
    'node_modules/@tool/linux-x64-gnu',
    'node_modules/tool',
    'node_modules/tool/node_modules/inner',
  ]);
  expect(packages['node_modules/@tool/darwin-arm64']).toEqual({
    version: '1.0.0',
    cpu: ['arm64'],
    dev: true,
    optional: true,
    os: ['darwin'],
  });
  expect(packages['node_modules/@tool/linux-arm64-musl']).toMatchObject({ libc: ['musl'], os: ['linux'] });
  expect(packages['node_modules/@tool/linux-arm-gnueabihf']).toMatchObject({ cpu: ['arm'], libc: ['glibc'] });
  expect(packages).toMatchObject(lock.packages);
  expect(completeLock({ packages })).toEqual({ packages });
});
