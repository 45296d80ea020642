/** How the names of files go over the wire: as UTF-8 (RFC 2640), or as one byte each for clients from before it. */
export type NameEncoding = 'utf-8' | 'latin-1';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const utf8 = new TextEncoder();

/** Reads text of the wire; nothing where it is not of that encoding. */
export function decodeText(bytes: Uint8Array, encoding: NameEncoding): string | undefined {
  if (encoding === 'latin-1') {
    let text = '';
    // Not TextDecoder: its latin1 is windows-1252, which has no byte of some characters.
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text for the wire. What ISO 8859-1 does not have becomes a question mark. */
export function encodeText(text: string, encoding: NameEncoding): Uint8Array {
  if (encoding === 'utf-8') return utf8.encode(text);
  return Uint8Array.from([...text], (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff ? 0x3f : code;
  });
}
