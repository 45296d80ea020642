const lf = 0x0a;
const cr = 0x0d;

/** Turns a stream of portions; the last byte of a portion may wait for the next. */
export interface AsciiConverter {
  push(bytes: Uint8Array): Uint8Array;
  /** What still waits, at the end of the stream. */
  end(): Uint8Array;
}

/** Lines of a file into lines of the wire: LF becomes CRLF, CRLF stays (RFC 959 section 3.1.1.1). */
export function toNetworkAscii(): AsciiConverter {
  let lastWasCr = false;
  return {
    push(bytes) {
      const out = new Uint8Array(bytes.length * 2);
      let length = 0;
      for (const byte of bytes) {
        if (byte === lf && !lastWasCr) out[length++] = cr;
        out[length++] = byte;
        lastWasCr = byte === cr;
      }
      return out.subarray(0, length);
    },
    end: () => new Uint8Array(0),
  };
}

/** Lines of the wire into lines of a file: CRLF becomes LF, a CR alone stays. */
export function fromNetworkAscii(): AsciiConverter {
  let heldCr = false;
  return {
    push(bytes) {
      const out = new Uint8Array(bytes.length + 1);
      let length = 0;
      for (const byte of bytes) {
        if (heldCr && byte !== lf) out[length++] = cr;
        heldCr = byte === cr;
        if (!heldCr) out[length++] = byte;
      }
      return out.subarray(0, length);
    },
    end() {
      const rest = heldCr ? new Uint8Array([cr]) : new Uint8Array(0);
      heldCr = false;
      return rest;
    },
  };
}
