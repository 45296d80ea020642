/** Something to put right: where (path from the root, line from 1), what it is, and what to do about it. */
export type Finding = { readonly file: string; readonly line: number; readonly message: string };

/** One line for a person and an editor: `file:line  message`. */
export function describeFinding({ file, line, message }: Finding): string {
  return `${file}:${line}  ${message}`;
}
