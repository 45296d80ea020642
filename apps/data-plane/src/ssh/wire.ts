/** A `string` (RFC 4251 section 5): length and bytes. */
export function sshField(content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const field = Buffer.alloc(4 + bytes.length);
  field.writeUInt32BE(bytes.length);
  field.set(bytes, 4);
  return field;
}

/** An `mpint` (RFC 4251 section 5) of a positive number, big end first. */
export function sshMpint(number: Uint8Array): Buffer {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start++;
  const digits = number.subarray(start);
  return sshField((digits[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits);
}

/**
 * Takes `string` fields from the front of a message until it ends.
 *
 * @param most fields that are read
 * @returns the fields; nothing where the bytes are no such fields, or more than `most`
 */
export function readFields(bytes: Buffer, most: number): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (fields.length === most || at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
