// What makes our processes start quickly; without it everything works, and takes a second longer in each of them.
import { enableCompileCache, registerHooks } from 'node:module';
import { resolve } from 'node:path';

/** Of a module's URL: the folder of its package, `…/node_modules/zod/` or `…/packages/policy/`. */
const packageOf = /^file:.*\/(?:node_modules\/(?:@[^/]+\/)?|packages\/|apps\/)[^/]+\//;

/**
 * Keeps compiled code between starts, and answers most of the questions of the module loader from what it has found
 * before: a process of ours loads nine hundred modules by two thousand imports, and for each of them Node would look
 * for package.json files, and parse those it finds (that of drizzle-orm has 180 KB). Call it before they are imported.
 */
export function loadQuickly() {
  // The cache lies with the code: whoever may write the one may write the other. Where nobody may, nothing is cached.
  const cache = resolve(import.meta.dirname, '../../../node_modules/.cache/sallyport');
  enableCompileCache(cache);
  // Worker threads find it here alone.
  process.env.NODE_COMPILE_CACHE ??= cache;

  /** What a name stands for in a package; the last part of the key tells `import` from `require`. */
  const packages = new Map();
  /** Format of the modules of a folder by their extension: one package.json speaks for all of them. */
  const formats = new Map();
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL, conditions, importAttributes } = context;
      const from = parentURL && packageOf.exec(parentURL)?.[0];
      const plain = from && Object.keys(importAttributes ?? {}).length === 0;
      if (!plain || specifier.startsWith('node:')) return next(specifier, context);
      if (/^\.\.?\/.*\.(?:js|ts)$/.test(specifier)) {
        const { href: url } = new URL(specifier, parentURL);
        const folder = url.slice(0, url.lastIndexOf('/') + 1) + url.slice(-2);
        const format = formats.get(folder);
        if (format) return { url, format, shortCircuit: true };
        const found = next(specifier, context);
        if (found.url === url && found.format) formats.set(folder, found.format);
        return found;
      }
      if (specifier.startsWith('.')) return next(specifier, context);
      const name = `${from} ${specifier} ${conditions.join()}`;
      const known = packages.get(name);
      if (known) return known;
      const found = next(specifier, context);
      packages.set(name, { ...found, shortCircuit: true });
      return found;
    },
  });
}
