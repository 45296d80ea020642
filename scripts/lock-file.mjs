// A registry that mirrors only some platforms makes `npm install` leave the others' packages out of package-lock.json.
// npm 11 then refuses the lock file on `npm ci`, and other platforms would go without. What is left out is known from
// the package that asks for it: its exact version, and the platform in its name.

/**
 * @typedef {{ version?: string, optional?: boolean, dev?: boolean, peer?: boolean, os?: string[], cpu?: string[],
 *   libc?: string[], optionalDependencies?: Record<string, string> }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> }} LockFile
 */

/**
 * Optional dependencies for which the lock file has no entry, each with the path of the package that asks for it.
 *
 * @param {LockFile} lock
 * @returns {{ name: string, range: string, askedBy: string }[]}
 */
export function missingOptional({ packages }) {
  return Object.entries(packages).flatMap(([askedBy, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(
        ([name]) => !foldersAbove(askedBy).some((folder) => `${folder}node_modules/${name}` in packages),
      )
      .map(([name, range]) => ({ name, range, askedBy })),
  );
}

/**
 * The lock file with an entry for each missing package of another platform, its keys in npm's order. What is no such
 * package stays missing.
 *
 * @param {LockFile} lock
 * @returns {LockFile}
 */
export function completeLock(lock) {
  const added = missingOptional(lock).flatMap(({ name, range, askedBy }) => {
    const platform = platformIn(name);
    if (!platform || !/^\d+\.\d+\.\d+[\w.-]*$/.test(range)) return [];
    const { dev, peer } = lock.packages[askedBy] ?? {};
    const entry = {
      version: range,
      cpu: [platform.cpu],
      ...(dev ? { dev } : {}),
      ...(platform.libc ? { libc: [platform.libc] } : {}),
      optional: true,
      os: [platform.os],
      ...(peer ? { peer } : {}),
    };
    return [/** @type {const} */ ([`node_modules/${name}`, entry])];
  });
  const entries = [...Object.entries(lock.packages), ...added];
  entries.sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(entries) };
}

/**
 * Operating system, processor and C library in a name such as `@oxc-parser/binding-linux-arm64-musl`.
 *
 * @param {string} name
 * @returns {{ os: string, cpu: string, libc: string | undefined } | undefined}
 */
function platformIn(name) {
  const words = name.slice(name.indexOf('/') + 1).split('-');
  const os = words.find((word) =>
    /^(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|win32)$/.test(word),
  );
  const cpu = words.find((word) => /^(arm|arm64|ia32|loong64|ppc64|riscv64|s390x|x64)$/.test(word));
  if (!os || !cpu) return undefined;
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return {
    os,
    cpu,
    libc: os === 'linux' && words.some((word) => /^(musl|gnu|glibc)/.test(word)) ? libc : undefined,
  };
}

/**
 * Where Node looks for a package that the one at `path` names: its own folder, then each above, up to the root (``).
 *
 * @param {string} path
 */
function foldersAbove(path) {
  const folders = path === '' ? [] : [`${path}/`];
  for (let at = path.lastIndexOf('node_modules/'); at > 0; at = path.lastIndexOf('node_modules/', at - 1)) {
    folders.push(path.slice(0, at));
  }
  return [...folders, ''];
}
