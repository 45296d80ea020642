import { type Bytes, concat } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';

/*
 * The serial numbers of a revocation list, as they travel to nodes: exact and sorted, nothing else. A filter of hashes
 * would be smaller by half and lock out, one day, a partner whom nobody has revoked.
 *
 * A chunk is a row of groups: one octet, the length of its serial numbers; four octets, how many; then they themselves,
 * ascending. Groups ascend by length.
 */

/** Serial numbers that were read, and the question they answer. */
export type SerialSet = {
  readonly size: number;
  /** @param serial hexadecimal, as `ParsedCertificate` has it */
  has(serial: string): boolean;
};

/** A chunk is meant to hold so many, so that a list that grows by a few renews a few chunks. */
const meantPerChunk = 8_192;
const mostBuckets = 64;
/** Whatever the numbers are like, a chunk holds no more: at most 344 KB. */
const mostPerChunk = 16_384;
/** Octets of the longest serial number that a certificate or a list is read with. */
const longest = 21;
const headBytes = 5;

/** Largest chunk in bytes. */
export const maxSerialChunkBytes = mostPerChunk * longest + longest * headBytes;

/** FNV-1a over the digits: where a number belongs depends on it alone. */
function bucketOf(serial: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < serial.length; at++) hash = Math.imul(hash ^ serial.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 16)) & (buckets - 1);
}

const byLengthAndValue = (a: string, b: string): number =>
  a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

function encodeChunk(sorted: readonly string[]): Bytes {
  const groups = [...Map.groupBy(sorted, ({ length }) => length / 2)].map(([length, serials]) => {
    const group = new Uint8Array(headBytes + length * serials.length);
    group[0] = length;
    new DataView(group.buffer).setUint32(1, serials.length);
    let at = headBytes;
    for (const serial of serials) {
      for (let i = 0; i < serial.length; i += 2) group[at++] = Number.parseInt(serial.slice(i, i + 2), 16);
    }
    return group;
  });
  return concat(...groups);
}

/**
 * Packs serial numbers into chunks. The same numbers give the same chunks, and a few more change a few of them.
 *
 * @param serials hexadecimal, as `parseCrl` has them, each at most once
 */
export function packSerials(serials: Iterable<string>): Bytes[] {
  const all = [...serials];
  let buckets = 1;
  while (buckets < mostBuckets && buckets * meantPerChunk < all.length) buckets *= 2;
  const filled = [...Map.groupBy(all, (serial) => bucketOf(serial, buckets))].sort(([a], [b]) => a - b);
  return filled.flatMap(([, bucket]) => {
    const sorted = bucket.sort(byLengthAndValue);
    const chunks: Bytes[] = [];
    for (let at = 0; at < sorted.length; at += mostPerChunk) {
      chunks.push(encodeChunk(sorted.slice(at, at + mostPerChunk)));
    }
    return chunks;
  });
}

/** Serial numbers of one length, one after the other, ascending. */
type Group = { readonly length: number; readonly bytes: Bytes };

const compareAt = (bytes: Bytes, at: number, wanted: Bytes): number => {
  for (let i = 0; i < wanted.length; i++) {
    const difference = (bytes[at + i] as number) - (wanted[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
};

function groupHas({ length, bytes }: Group, wanted: Bytes): boolean {
  let from = 0;
  let to = bytes.length / length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const difference = compareAt(bytes, middle * length, wanted);
    if (difference === 0) return true;
    if (difference < 0) from = middle + 1;
    else to = middle;
  }
  return false;
}

/** The groups of a chunk; nothing where it is not one that `packSerials` could have made. */
function readChunk(chunk: Bytes): Group[] | undefined {
  const groups: Group[] = [];
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  let at = 0;
  let before = 0;
  while (at < chunk.length) {
    if (chunk.length - at < headBytes) return undefined;
    const length = view.getUint8(at);
    const count = view.getUint32(at + 1);
    at += headBytes;
    if (length <= before || length > longest || count === 0) return undefined;
    if (count > mostPerChunk || count * length > chunk.length - at) return undefined;
    const bytes = chunk.subarray(at, at + count * length);
    for (let next = length; next < bytes.length; next += length) {
      const earlier = bytes.subarray(next - length, next);
      if (compareAt(bytes, next, earlier) <= 0) return undefined;
    }
    groups.push({ length, bytes });
    at += bytes.length;
    before = length;
  }
  return groups;
}

/**
 * Reads chunks that `packSerials` made.
 *
 * @returns the set; `crl-malformed` where a chunk is not what it should be: in one that is out of order a number would
 *   not be found
 */
export function readSerials(chunks: readonly Bytes[]): Result<SerialSet> {
  const groups: Group[] = [];
  for (const chunk of chunks) {
    const read = chunk.length > maxSerialChunkBytes ? undefined : readChunk(chunk);
    if (!read) return refuse('crl-malformed', 'a chunk of serial numbers is damaged');
    groups.push(...read);
  }
  return ok({
    size: groups.reduce((sum, { length, bytes }) => sum + bytes.length / length, 0),
    has(serial) {
      if (serial.length % 2 !== 0 || serial.length > 2 * longest) return false;
      const wanted = Uint8Array.from(serial.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      return groups.some((group) => group.length === wanted.length && groupHas(group, wanted));
    },
  });
}
