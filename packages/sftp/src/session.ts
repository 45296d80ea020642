import { type Fault, ok, type Result, refuse } from '@sallyport/faults';
import { type FileSystem, maxPathBytes } from '@sallyport/files';
import { accessOf } from './access.ts';
import { BufferPool } from './buffer-pool.ts';
import { type Packet, PacketFramer } from './framing.ts';
import { abandon, type OperationContext } from './handle-operations.ts';
import { HandleTable } from './handles.ts';
import { listingReplyBytes } from './listing.ts';
import { perform } from './operations.ts';
import { protocolVersion, wireLimits } from './protocol.ts';
import { dataHeaderLength, faultReply, type ReplyPacket, versionReply } from './reply.ts';
import { decodeInit, decodeRequest, type Request } from './request.ts';
import { type QueuedRequest, RequestQueue } from './request-queue.ts';
import type { SftpTransfer } from './transfer.ts';

/**
 * The way back to the peer, and the credit in both directions: what is received is held until `credit` says
 * that it has left memory, what is sent is held until `SftpSession.sent` says so. The transport bounds the first
 * (a window of at least 512 KiB), the session the second.
 */
export interface SftpTransport {
  /** Sends one packet; packets leave in the order of the calls. The bytes stay the session's: after `sent` they change. */
  send(packet: Uint8Array): void;
  /** That many received bytes are dealt with; the peer may send as many again. */
  credit(bytes: number): void;
  /**
   * The session is over and every file is released; called once.
   *
   * @param fault `message-malformed` where the peer broke the protocol
   */
  close(fault: Fault | undefined): void;
}

/** One SFTP conversation. No call throws or waits. */
export interface SftpSession {
  /** Takes bytes from the peer, in any portions. They are not looked at after the call: the memory is the caller's. */
  receive(chunk: Uint8Array): void;
  /** The transport has passed on, or copied, that many bytes of what it was sent. */
  sent(bytes: number): void;
  /** The peer sends no more: what it has asked is still done, then the session closes. */
  end(): void;
  /** The peer is gone: nothing new begins, files open for writing are abandoned, then the session closes. */
  abort(): void;
}

export type SftpSessionOptions = {
  /** The account's files; permissions are its matter. */
  readonly files: FileSystem;
  readonly transport: SftpTransport;
  /** False while the server drains. */
  readonly admitsOperations: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onTransfer: (transfer: SftpTransfer) => void;
  /** A bug surfaced while a request was carried out; the client is told `internal`. */
  readonly onError?: (error: unknown) => void;
  readonly limits?: Partial<SftpLimits>;
  /** Lends the buffers of what is read and written; sessions may share one. */
  readonly buffers?: BufferPool;
};

/** Bounds of one session. */
export type SftpLimits = {
  readonly maxOpenHandles: number;
  /** Requests taken in and not answered. */
  readonly maxPending: number;
  /** Requests carried out at the same time. */
  readonly maxRunning: number;
  /** Bytes of replies being made or waiting for the peer; one reply may always be made. */
  readonly maxReplyBytes: number;
};

const defaultLimits: SftpLimits = {
  maxOpenHandles: 256,
  maxPending: 128,
  maxRunning: 16,
  maxReplyBytes: 1_048_576,
};

/** An upper bound of the reply, for the budget; a status or attributes take less than half a kilobyte. */
function replyCost(request: Request): number {
  switch (request.kind) {
    case 'read':
      return dataHeaderLength + Math.min(request.length, wireLimits.readLength);
    case 'readdir':
      return listingReplyBytes;
    case 'realpath':
    case 'expand-path':
      return 256 + request.path.length * 6;
    case 'readlink':
      return 256 + maxPathBytes * 2;
    case 'names-by-id':
      return 64 + 4 * (request.users + request.groups);
    default:
      return 512;
  }
}

/**
 * Serves SFTP version 3 (draft-ietf-secsh-filexfer-02) over a FileSystem.
 *
 * Requests run side by side where the outcome is the one of running them in order, and replies about one
 * handle leave in the order of their requests: clients pipeline READDIR and WRITE and rely on it.
 * A client that does not read its replies stops the session from making more; one that sends faster than the
 * storage takes gets no credit.
 */
export function createSftpSession(options: SftpSessionOptions): SftpSession {
  const limits = { ...defaultLimits, ...options.limits };
  const { transport } = options;
  const handles = new HandleTable(limits.maxOpenHandles);
  const { buffers = new BufferPool() } = options;
  const context: OperationContext = {
    files: options.files,
    handles,
    buffers,
    maxOpenHandles: limits.maxOpenHandles,
    admitsOperations: options.admitsOperations,
    isOver: () => phase === 'aborted' || phase === 'closed',
    now: options.now,
    onTransfer: options.onTransfer,
  };
  const framer = new PacketFramer(buffers);
  /** Packets that the transport has not passed on, and the bytes of the first that it has. */
  const outgoing: ReplyPacket[] = [];
  let firstSent = 0;
  const queue = new RequestQueue();
  let phase: 'greeting' | 'open' | 'ending' | 'aborted' | 'closed' = 'greeting';
  let fault: Fault | undefined;
  let running = 0;
  let replyBytes = 0;
  let turning = false;
  let again = false;

  const pass = (packet: ReplyPacket): void => {
    outgoing.push(packet);
    transport.send(packet);
  };

  const send = (packet: ReplyPacket): void => {
    replyBytes += packet.length;
    pass(packet);
  };

  /** Takes back the buffers of packets that have left. */
  const recycle = (bytes: number): void => {
    firstSent += bytes;
    for (let [first] = outgoing; first && firstSent >= first.length; [first] = outgoing) {
      firstSent -= first.length;
      outgoing.shift();
      buffers.give(first);
    }
  };

  const halt = (because: Fault | undefined): void => {
    if (phase === 'aborted' || phase === 'closed') return;
    phase = 'aborted';
    fault = because;
  };

  /** Takes in the next whole packet; false when there is none or no room for it. */
  function admit(): boolean {
    if (phase === 'aborted' || phase === 'closed' || queue.length >= limits.maxPending) return false;
    if (replyBytes > limits.maxReplyBytes) return false;
    const packet = framer.next();
    if (!packet.ok) {
      halt(packet.fault);
      return false;
    }
    if (!packet.value) return false;
    const taken = phase === 'greeting' ? greet(packet.value) : enqueue(packet.value);
    if (!taken.ok) halt(taken.fault);
    return taken.ok;
  }

  function greet(packet: Packet): Result<void> {
    const version = decodeInit(packet.body);
    if (!version.ok) return version;
    if (version.value < protocolVersion) return refuse('message-malformed', `version ${version.value}`);
    phase = 'open';
    return answer(versionReply(), packet);
  }

  function enqueue(packet: Packet): Result<void> {
    const decoded = decodeRequest(packet.body);
    if (!decoded.ok) return decoded;
    if (decoded.value.kind === 'refused') {
      return answer(faultReply(decoded.value.id, decoded.value.fault), packet);
    }
    const { request } = decoded.value;
    const access = accessOf(request, handles);
    if (!access.ok) return answer(faultReply(request.id, access.fault), packet);
    const owned = ownRequest(packet, request);
    queue.add({
      ...owned,
      access: access.value,
      wireLength: packet.wireLength,
      cost: replyCost(request),
      state: 'waiting',
    });
    return ok(undefined);
  }

  /** A request waits in the queue longer than a borrowed packet stays as it is. Only data are views of the packet. */
  function ownRequest(packet: Packet, request: Request): Pick<QueuedRequest, 'request' | 'body'> {
    if (packet.memory === 'own') return { request, body: packet.body };
    if (request.kind !== 'write') return { request, body: undefined };
    const data = buffers.take(request.data.length);
    data.set(request.data);
    return { request: { ...request, data }, body: data };
  }

  /** Answers a request at once. */
  function answer(reply: ReplyPacket, packet: Packet): Result<void> {
    send(reply);
    if (packet.memory === 'own') buffers.give(packet.body);
    transport.credit(packet.wireLength);
    return ok(undefined);
  }

  const fits = (cost: number): boolean => replyBytes === 0 || replyBytes + cost <= limits.maxReplyBytes;

  /** Starts what may start; true where something did. */
  function start(): boolean {
    if (phase === 'aborted' || phase === 'closed') return false;
    let started = false;
    while (running < limits.maxRunning) {
      const entry = queue.nextRunnable(fits);
      if (!entry) break;
      run(entry);
      started = true;
    }
    return started;
  }

  function run(entry: QueuedRequest): void {
    entry.state = 'running';
    running++;
    replyBytes += entry.cost;
    const settle = (reply: ReplyPacket): void => {
      running--;
      // The budget held an upper bound; from here on the reply itself is what is held.
      replyBytes += reply.length - entry.cost;
      if (entry.body) buffers.give(entry.body);
      entry.state = 'done';
      entry.reply = reply;
      turn();
    };
    perform(context, entry.request, entry.access).then(settle, (error: unknown) => {
      options.onError?.(error);
      settle(faultReply(entry.request.id, { code: 'internal' }));
    });
  }

  /** Sends the replies that are ready and in order among those of their handle. */
  function flush(): void {
    for (const { reply, wireLength } of queue.takeAnswerable()) {
      if (!reply || phase === 'aborted') continue;
      pass(reply);
      transport.credit(wireLength);
    }
  }

  /** Does all that can be done now. Calls from inside it (a transport that answers at once) make another round. */
  function turn(): void {
    again = true;
    if (turning) return;
    turning = true;
    try {
      while (again) {
        again = false;
        flush();
        while (admit());
        if (start()) again = true;
      }
    } finally {
      turning = false;
    }
    settleEnd();
  }

  function settleEnd(): void {
    // Without room for replies, what is left in the framer has not been looked at yet.
    const roomless = replyBytes > limits.maxReplyBytes;
    if (phase === 'ending' && queue.length === 0 && !roomless) phase = 'aborted';
    if (phase !== 'aborted' || running > 0) return;
    phase = 'closed';
    queue.clear();
    const left = handles.takeAll();
    Promise.allSettled(left.map((handle) => abandon(context, handle))).then((outcomes) => {
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') options.onError?.(outcome.reason);
      }
      transport.close(fault);
    });
  }

  return {
    receive(chunk) {
      if (phase !== 'greeting' && phase !== 'open') return;
      framer.push(chunk);
      turn();
      framer.keep();
    },
    sent(bytes) {
      replyBytes -= bytes;
      recycle(bytes);
      turn();
    },
    end() {
      if (phase === 'greeting' || phase === 'open') phase = 'ending';
      turn();
    },
    abort() {
      halt(undefined);
      turn();
    },
  };
}
