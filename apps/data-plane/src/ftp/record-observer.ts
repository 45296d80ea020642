import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** TLS record content types (RFC 8446 section 5.1). */
const alertType = 21;
const applicationDataType = 23;
const headerBytes = 5;
/** Several reads of a socket: a mark that one read fills would stop and start the socket at every turn. */
const bufferBytes = 1 << 17;
/** A TLS 1.3 record holds its content type and an AEAD tag beside the content. */
const overhead13 = 1 + 16;
const alertBytes = 2;
/** A KeyUpdate message (RFC 8446 section 4.6.3). */
const keyUpdateBytes = 5;

/**
 * Stands between a socket and its TLSSocket and watches the record headers of what comes in, because `node:tls`
 * emits the same `end` for a closure alert and for a cut (RFC 8446 section 6.1).
 */
export class RecordObserver extends Duplex {
  readonly #socket: Socket;
  readonly #header = new Uint8Array(headerBytes);
  #headerLength = 0;
  #bodyLeft = 0;
  #lastType = 0;
  #lastLength = 0;
  /** Content of the application data records of TLS 1.3 after the client's Finished, if all of it were data. */
  #content13 = 0;
  #sawFinished13 = false;
  #keyUpdateSized = 0;

  constructor(socket: Socket) {
    // It lives until the TLSSocket destroys it: closed at the end of its own input, it would take with it what the
    // TLSSocket has not handed out yet.
    super({ allowHalfOpen: true, autoDestroy: false, readableHighWaterMark: bufferBytes });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#watch(chunk);
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      if (!socket.readableEnded) this.destroy();
    });
    socket.pause();
  }

  #watch(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= step;
        at += step;
        continue;
      }
      this.#header[this.#headerLength++] = chunk[at++] as number;
      if (this.#headerLength < headerBytes) continue;
      this.#headerLength = 0;
      this.#lastType = this.#header[0] as number;
      this.#lastLength = ((this.#header[3] as number) << 8) | (this.#header[4] as number);
      this.#bodyLeft = this.#lastLength;
      if (this.#lastType === applicationDataType) this.#count13();
    }
  }

  #count13(): void {
    // Without a certificate and without early data the client's first encrypted record is its Finished.
    if (!this.#sawFinished13) {
      this.#sawFinished13 = true;
      return;
    }
    const content = this.#lastLength - overhead13;
    this.#content13 += content;
    if (content === keyUpdateBytes) this.#keyUpdateSized++;
  }

  /**
   * Did the peer close with an alert? Asked after the TLSSocket's `end`, when all plaintext has been read.
   * On TLS 1.2 an alert shows its type. On TLS 1.3 it is a last record of an alert's size that yielded no plaintext:
   * what the records held exceeds the plaintext by the alert, and by key updates, of which some may have gone by.
   *
   * @param plaintextBytes all that the TLSSocket yielded
   */
  closedByAlert(protocol: string | null, plaintextBytes: number): boolean {
    if (this.#bodyLeft > 0 || this.#headerLength > 0) return false;
    if (protocol !== 'TLSv1.3') return this.#lastType === alertType;
    if (this.#lastLength !== alertBytes + overhead13) return false;
    const beside = this.#content13 - plaintextBytes - alertBytes;
    return beside >= 0 && beside % keyUpdateBytes === 0 && beside / keyUpdateBytes <= this.#keyUpdateSized;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
