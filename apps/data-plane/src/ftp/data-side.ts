import { type ControlEffect, type ControlEvent, type Reply, reply, type Transfer } from '@sallyport/ftp';
import type { FtpServer } from '@sallyport/model';
import { addressIn } from '@sallyport/policy';
import type { Session } from '../session.ts';
import type { RunningServer } from '../zone-view.ts';
import { activePort } from './active-port.ts';
import { passiveAddress } from './address.ts';
import { type DataPort, openDataConnection } from './data-connection.ts';
import { hashFile } from './hash-file.ts';
import type { PassivePorts } from './passive-ports.ts';
import { runTransfer } from './transfer.ts';

/** What the data connections of one control connection are made with. */
export type DataMeans = {
  /** The definition in force, for ports and addresses. */
  readonly running: () => RunningServer<FtpServer>;
  readonly ports: PassivePorts;
  /** Address of the client. */
  readonly peer: string;
  /** Our address of the control connection. */
  readonly local: string;
  readonly limits: FtpServer['limits'];
  readonly closeNotify: FtpServer['ftp']['closeNotify'];
  readonly now: () => number;
};

/** What one transfer is run with. */
export type TransferOptions = {
  readonly session: Session;
  /** Runs TLS on the data connection; left out, it stays in clear. */
  readonly secure: Parameters<typeof openDataConnection>[0]['secure'];
  readonly announce: (given: Reply) => void;
  /** The control connection is gone already. */
  readonly gone: boolean;
};

const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

/** The data side of a control connection: the port that is agreed for the next transfer, and the work that runs. */
export class DataSide {
  readonly #means: DataMeans;
  #port: DataPort | undefined;
  #work: { readonly abort: AbortController; bytes: number } | undefined;

  constructor(means: DataMeans) {
    this.#means = means;
  }

  /** Is a transfer or a digest under way? It has its own idle time. */
  get busy(): boolean {
    return this.#work !== undefined;
  }

  /** How far the work is that is under way (RFC 959 section 4.1.3: STAT during a transfer). */
  status(): Reply | undefined {
    return this.#work && reply(213, `${this.#work.bytes} bytes so far.`);
  }

  /** Breaks off the work that is under way. */
  abort(): void {
    this.#work?.abort.abort();
  }

  /** Gives up the port that is agreed. */
  closePort(): void {
    this.#port?.close();
    this.#port = undefined;
  }

  /** Opens a port, in place of one that is still open. */
  async listen(
    { form, family }: ControlEffect & { kind: 'listen' },
    session: Session | undefined,
  ): Promise<ControlEvent> {
    this.closePort();
    const { local, peer, ports } = this.#means;
    const running = this.#means.running();
    const ours = familyOf(local);
    if (family !== 'any' && family !== ours) return { kind: 'wrong-family', ours: ours === 4 ? 1 : 2 };
    const address = form === 'EPSV' || !session ? local : passiveAddress(running, session, local);
    if (address === undefined) return { kind: 'wrong-family', ours: 2 };
    const opened = await ports.open({
      range: running.passiveRange ?? running.server.ftp.passive,
      host: local,
      peer,
      holder: session?.account.id ?? '',
    });
    this.#port = opened;
    return opened
      ? { kind: 'listening', endpoint: { form, address, port: opened.port } }
      : { kind: 'not-listening', why: 'no-port' };
  }

  /** Takes note of where a client wants its data connection to go: to itself, or nowhere (RFC 2577 section 3). */
  aim({ family, address, port }: ControlEffect & { kind: 'aim' }): ControlEvent {
    this.closePort();
    const { peer, local } = this.#means;
    const ours = familyOf(peer);
    if (family !== ours) return { kind: 'wrong-family', ours: ours === 4 ? 1 : 2 };
    if (!addressIn(address, [`${peer}/${ours === 4 ? 32 : 128}`])) return { kind: 'not-aimed' };
    this.#port = activePort({ host: peer, port, localAddress: local });
    return { kind: 'aimed' };
  }

  /**
   * Runs a transfer over the agreed port, which is then spent.
   *
   * @returns the final reply; nothing where no port is agreed
   */
  async transfer(asked: Transfer, options: TransferOptions): Promise<Reply | undefined> {
    const port = this.#port;
    this.#port = undefined;
    if (!port) return undefined;
    const { session, secure } = options;
    const { limits, closeNotify, now } = this.#means;
    const work = this.#begin(options.gone);
    try {
      return await runTransfer(asked, {
        session,
        now: now(),
        announce: options.announce,
        onProgress: (bytes) => {
          work.bytes = bytes;
        },
        connect: (direction) =>
          openDataConnection({
            port,
            watch: direction === 'in' && closeNotify === 'required' ? 'closure-alert' : 'nothing',
            secure,
            idleMs: limits.idleSeconds * 1_000,
            signal: work.abort.signal,
          }),
      });
    } finally {
      this.#work = undefined;
      port.close();
    }
  }

  /** Runs a digest. */
  async hash({ request }: ControlEffect & { kind: 'hash' }, session: Session): Promise<ControlEvent> {
    const work = this.#begin(session.ended.aborted);
    try {
      const result = await hashFile(session.files, request, work.abort.signal);
      return { kind: 'hashed', request, result };
    } finally {
      this.#work = undefined;
    }
  }

  #begin(over: boolean): { readonly abort: AbortController; bytes: number } {
    const work = { abort: new AbortController(), bytes: 0 };
    if (over) work.abort.abort();
    this.#work = work;
    return work;
  }
}
