// What we use of the ciphers that ssh2 1.17.0 makes on its native binding, beyond its documented interface.

/** ssh2's cipher of what we send: whole packets are encrypted where they lie. */
export type OutboundCipher = {
  readonly constructor: { readonly name: string };
  outSeqno: number;
  readonly _dead?: boolean;
  readonly _instance?: { encrypt(packet: Buffer, sequence?: number): void };
  readonly _encBlockLen?: number;
  readonly _aadLen?: number;
  readonly _macLen?: number;
  readonly _macActualLen?: number;
};

/** ssh2's cipher of what we receive, with what it holds of a packet that is not complete. */
export type InboundCipher = {
  readonly constructor: { readonly name: string };
  inSeqno: number;
  /** Hands on a payload; what it answers, if anything, ends the work on the present bytes. */
  _onPayload(payload: Buffer): number | false | undefined;
  readonly _instance?: {
    decrypt(packet: Buffer, length: Buffer | number, tagOrSequence: Buffer | number): void;
    decryptLen?(length: Buffer, sequence: number): number;
  };
  readonly _len: number;
  readonly _lenBytes?: number;
  readonly _lenPos?: number;
  readonly _pktLen: number;
  readonly _tagPos?: number;
  readonly _macPos?: number;
};

/** How packets of a cipher are laid out (RFC 4253 section 6): sizes in bytes. */
export type PacketLayout = {
  /** What is encrypted is a multiple of this long. */
  readonly block: number;
  /** The length field stands before what is padded to blocks, as with AEAD and encrypt-then-MAC. */
  readonly unpaddedPrefix: number;
  readonly mac: number;
};

const aead = { unpaddedPrefix: 4, mac: 16 };

/** The layout of what a cipher sends; nothing for one that is not on the native binding. */
export function outboundLayout(cipher: OutboundCipher): PacketLayout | undefined {
  switch (cipher.constructor.name) {
    case 'AESGCMCipherBinding':
      return { block: 16, ...aead };
    case 'ChaChaPolyCipherBinding':
      return { block: 8, ...aead };
    case 'GenericCipherBinding': {
      const { _encBlockLen: block = 0, _aadLen: unpaddedPrefix = 0, _macLen: mac = 0 } = cipher;
      // A MAC that is sent in part is ssh2's own affair.
      return mac === cipher._macActualLen ? { block, unpaddedPrefix, mac } : undefined;
    }
    default:
      return undefined;
  }
}

const macBytes = 16;
/** As ssh2 bounds them. */
const maxPacketBytes = 35_000;

/** Takes whole packets of one cipher from a stream. */
export type PacketOpener = {
  /** Length of the packet that begins there, without its length field and its MAC; throws where it cannot be. */
  readonly length: (bytes: Buffer, at: number) => number;
  /** Verifies and decrypts that packet in place; throws where it is not authentic. */
  readonly open: (bytes: Buffer, at: number, length: number) => void;
  readonly macBytes: number;
};

const badLength = (): Error => new Error('Bad packet length');

function gcmOpener(cipher: InboundCipher): PacketOpener | undefined {
  const { _instance: instance } = cipher;
  return (
    instance && {
      macBytes,
      length(bytes, at) {
        const length = bytes.readUInt32BE(at);
        if (length + 4 + macBytes > maxPacketBytes || length < 16 || (length & 15) !== 0) throw badLength();
        return length;
      },
      open(bytes, at, length) {
        const start = at + 4;
        const end = start + length;
        instance.decrypt(bytes.subarray(start, end), length, bytes.subarray(end, end + macBytes));
      },
    }
  );
}

function chachaOpener(cipher: InboundCipher): PacketOpener | undefined {
  const { _instance: instance } = cipher;
  if (!instance?.decryptLen) return undefined;
  const decryptLength = instance.decryptLen.bind(instance);
  return {
    macBytes,
    length(bytes, at) {
      const length = decryptLength(bytes.subarray(at, at + 4), cipher.inSeqno);
      if (length > maxPacketBytes || length < 8 || (length & 7) !== 0) throw badLength();
      return length;
    },
    open(bytes, at, length) {
      const start = at + 4;
      const end = start + length;
      instance.decrypt(bytes.subarray(start, end), bytes.subarray(end, end + macBytes), cipher.inSeqno);
    },
  };
}

/** An opener for the AEAD ciphers of the native binding; nothing for others. */
export function packetOpener(cipher: InboundCipher): PacketOpener | undefined {
  switch (cipher.constructor.name) {
    case 'AESGCMDecipherBinding':
      return gcmOpener(cipher);
    case 'ChaChaPolyDecipherBinding':
      return chachaOpener(cipher);
    default:
      return undefined;
  }
}

/**
 * Bytes that ssh2 lacks of the packet that it has begun; 0 between two packets. While the length itself is incomplete,
 * the bytes of that alone.
 */
export function missingBytes(cipher: InboundCipher): number {
  const lengthBytes = cipher._lenBytes ?? cipher._lenPos ?? 0;
  if (lengthBytes === 0) return 0;
  if (lengthBytes < 4) return 4 - lengthBytes;
  return cipher._len - cipher._pktLen + macBytes - (cipher._tagPos ?? cipher._macPos ?? 0);
}
