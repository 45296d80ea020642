// `npm run lock`: puts what the registry did not have for other platforms into package-lock.json; see lock-file.mjs.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { completeLock } from './lock-file.mjs';

const path = resolve(import.meta.dirname, '..', 'package-lock.json');
const before = readFileSync(path, 'utf8');
const after = `${JSON.stringify(completeLock(JSON.parse(before)), null, 2)}\n`;
if (after !== before) writeFileSync(path, after);
