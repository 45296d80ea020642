// Setup file of vitest: registered before the hooks of a test file, so it runs after all of them.
import { afterAll } from 'vitest';
import { removeTemporaryFolders } from './process.ts';

afterAll(removeTemporaryFolders);
