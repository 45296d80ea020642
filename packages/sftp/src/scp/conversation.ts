import { concat, utf8 } from '@sallyport/bytes';
import { type Fault, faults } from '@sallyport/faults';
import type { BufferPool } from '../buffer-pool.ts';
import { Inbox } from './inbox.ts';

/** Longest line of control: a name with its mode and size, or what the peer complains of. */
const maxLineBytes = 8_192;
const lineFeed = 0x0a;
const [done, warning, fatal] = [0, 1, 2];

/** What the peer says to what it was sent. `refused`: it goes on with the next thing. `over`: it does not. */
export type Answer = 'done' | 'refused' | 'over';

/**
 * Talks with the other side of scp's protocol: each step is answered by a byte. It has no specification; this is what
 * OpenSSH's scp.c and PuTTY's pscp do. After `over` every read comes to its end.
 */
export class Conversation {
  readonly inbox: Inbox;
  /** Things that went wrong on either side; they make the exit status. */
  troubles = 0;
  readonly #transmit: (bytes: Uint8Array) => void;
  #queued = 0;
  #sent = 0;
  #over = false;
  #waiting: { readonly mark: number; readonly wake: () => void }[] = [];

  constructor(pool: BufferPool, transmit: (bytes: Uint8Array) => void, credit: (bytes: number) => void) {
    this.inbox = new Inbox(pool, credit);
    this.#transmit = transmit;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The peer is gone. */
  over(): void {
    this.#over = true;
    this.inbox.end();
    this.#wakeUp();
  }

  /** The transport has passed on that many bytes. */
  passed(bytes: number): void {
    this.#sent += bytes;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const ready = ({ mark }: { readonly mark: number }) => this.#over || mark <= this.#sent;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((one) => !ready(one));
    for (const one of waiting) if (ready(one)) one.wake();
  }

  /** Sends bytes; resolves when they have left, or never will. They must not change before. */
  async send(bytes: Uint8Array): Promise<void> {
    if (this.#over) return;
    this.#queued += bytes.length;
    const mark = this.#queued;
    this.#transmit(bytes);
    if (this.#sent < mark) await new Promise<void>((wake) => this.#waiting.push({ mark, wake }));
  }

  sendLine(line: string): Promise<void> {
    return this.send(utf8(`${line}\n`));
  }

  acknowledge(): Promise<void> {
    return this.send(new Uint8Array([done]));
  }

  /** Says that something is not done, in words of the fault table; the peer goes on. */
  complain(fault: Fault, about: string): Promise<void> {
    this.troubles++;
    // The name is the peer's own, or one that it may list; a line break would end the message.
    const name = about.replaceAll(/[\n\r]/g, '?');
    return this.send(concat(new Uint8Array([warning]), utf8(`scp: ${name}: ${faults[fault.code].text}\n`)));
  }

  /** Reads a line without its end; nothing at the end, for one that is too long or is no UTF-8. */
  async line(): Promise<string | undefined> {
    const bytes: number[] = [];
    for (;;) {
      const byte = await this.inbox.byte();
      if (byte === undefined || bytes.length > maxLineBytes) return undefined;
      if (byte === lineFeed) break;
      bytes.push(byte);
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch {
      return undefined;
    }
  }

  /** Waits for the peer's answer to a step. */
  async answer(): Promise<Answer> {
    const byte = await this.inbox.byte();
    if (byte === done) return 'done';
    if (byte === undefined) return 'over';
    this.troubles++;
    const said = await this.line();
    return byte === fatal || said === undefined ? 'over' : 'refused';
  }
}

/** Does a line bring a complaint of the peer in place of a step? */
export const complaintOf = (line: string): 'refused' | 'over' | undefined =>
  line.codePointAt(0) === warning ? 'refused' : line.codePointAt(0) === fatal ? 'over' : undefined;
