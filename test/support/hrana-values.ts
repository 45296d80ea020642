// How SQL values, results and errors look in Hrana's JSON (protocol version 2 and 3).

/** A value as the protocol writes it: integers as text so that 64 bits survive, blobs as base64. */
export type HranaValue =
  | { readonly type: 'null' }
  | { readonly type: 'integer'; readonly value: string }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'blob'; readonly base64: string };

/** A value as the database binds and answers it. */
export type SqlValue = null | bigint | number | string | Uint8Array;

export type HranaError = { readonly message: string; readonly code: string };

/** A statement by its text or by the number that `store_sql` gave it. */
export type HranaStatement = {
  readonly sql?: string | null;
  readonly sql_id?: number | null;
  readonly args?: readonly HranaValue[];
  readonly named_args?: readonly { readonly name: string; readonly value: HranaValue }[];
  readonly want_rows?: boolean;
};

export type HranaResult = {
  readonly cols: readonly { readonly name: string; readonly decltype: string | null }[];
  readonly rows: readonly (readonly HranaValue[])[];
  readonly affected_row_count: number;
  readonly last_insert_rowid: string | null;
};

export type HranaCondition =
  | { readonly type: 'ok' | 'error'; readonly step: number }
  | { readonly type: 'not'; readonly cond: HranaCondition }
  | { readonly type: 'and' | 'or'; readonly conds: readonly HranaCondition[] }
  | { readonly type: 'is_autocommit' };

export type HranaBatch = {
  readonly steps: readonly { readonly stmt: HranaStatement; readonly condition?: HranaCondition | null }[];
};

/** A refusal that the client is told as `code` and `message`. */
export class HranaFailure extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export function toHrana(value: SqlValue): HranaValue {
  if (value === null) return { type: 'null' };
  if (typeof value === 'bigint') return { type: 'integer', value: value.toString() };
  if (typeof value === 'number') return { type: 'float', value };
  if (typeof value === 'string') return { type: 'text', value };
  return { type: 'blob', base64: Buffer.from(value).toString('base64') };
}

/** Throws `HranaFailure` for a type that is not in the protocol. */
export function fromHrana(value: HranaValue): SqlValue {
  switch (value.type) {
    case 'null':
      return null;
    case 'integer':
      return BigInt(value.value);
    case 'float':
    case 'text':
      return value.value;
    case 'blob':
      return Buffer.from(value.base64, 'base64');
    default:
      throw new HranaFailure('HRANA_PROTO_ERROR', 'unknown type of value');
  }
}

/** As sqld tells errors: SQLite's primary code (`SQLITE_CONSTRAINT`) and its message after `SQLite error: `. */
export function errorOf(thrown: unknown): HranaError {
  if (thrown instanceof HranaFailure) return { code: thrown.code, message: thrown.message };
  if (thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('SQLITE_')) {
    const code = String(thrown.code).split('_').slice(0, 2).join('_');
    return { code, message: `SQLite error: ${thrown.message}` };
  }
  return { code: 'HRANA_PROTO_ERROR', message: thrown instanceof Error ? thrown.message : String(thrown) };
}
