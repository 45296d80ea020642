import { type Result, refuse } from '@sallyport/faults';
import { type VirtualPath, virtualPath } from '@sallyport/files';

const absoluteForm = /^https?:\/\/[^/?#]*/i;

/** Percent-decodes one name, once; nothing where it is not UTF-8 behind its percent signs. */
function decodedName(name: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(name)) return undefined;
  // Node hands the target over as latin1: raw and percent-encoded bytes become the same bytes.
  const bytes = Buffer.from(
    name.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** What a request is about. `form` says whether the client wrote it as a directory. */
export type Target = { readonly path: VirtualPath; readonly form: 'plain' | 'directory' };

/**
 * The path that a request target names (RFC 9112 section 3.2; origin-form and absolute-form).
 * Names are percent-decoded once. A slash or NUL that only appears by decoding is refused, and so is a query: a
 * client that left `?` in a file name unescaped would otherwise meet another file.
 *
 * @param raw the target as it stood in the request line
 * @returns the path; `path-invalid`
 */
export function targetOf(raw: string): Result<Target> {
  const text = raw.replace(absoluteForm, '');
  if (/[?#]/.test(text)) return refuse('path-invalid', 'a query or a fragment');
  if (text !== '' && !text.startsWith('/')) return refuse('path-invalid', 'not an absolute path');
  const names: string[] = [];
  for (const name of text.split('/')) {
    const decoded = decodedName(name);
    if (decoded === undefined) return refuse('path-invalid', 'badly encoded');
    if (/[/\0]/.test(decoded)) return refuse('path-invalid', 'an encoded slash or NUL');
    names.push(decoded);
  }
  const path = virtualPath(names.join('/'));
  return path.ok
    ? { ok: true, value: { path: path.value, form: text.endsWith('/') ? 'directory' : 'plain' } }
    : path;
}
