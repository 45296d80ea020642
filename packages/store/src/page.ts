/** Which part of a list is asked for: rows after an id, in the order of ids. */
export type Page = { readonly after: string; readonly limit: number };
