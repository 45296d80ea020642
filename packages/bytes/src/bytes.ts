import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import canonicalizeJson from 'canonicalize';

/** Bytes backed by a plain ArrayBuffer: what WebCrypto and fetch take without a copy. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** UTF-8 encoding of a text. */
export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

/** Text of UTF-8 bytes; throws TypeError on malformed input. */
export const fromUtf8 = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true }).decode(bytes);

/** A copy of `bytes` on an ArrayBuffer of its own (Node's Buffers share a pool). */
export const copyOf = (bytes: Uint8Array | ArrayBuffer): Bytes => new Uint8Array(bytes);

/** All parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  const chunk = 0x8000;
  let binary = '';
  for (let at = 0; at < bytes.length; at += chunk) {
    binary += String.fromCharCode(...bytes.subarray(at, at + chunk));
  }
  return btoa(binary);
}

/** Bytes of base64, padded or not; throws on a foreign character. */
export function fromBase64(text: string): Bytes {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Base64url without padding (RFC 4648 section 5). */
export const toBase64Url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

/** Bytes of base64url; throws on a foreign character. */
export function fromBase64Url(text: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new TypeError('not base64url');
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
}

/** Equality in a time that depends on the length alone. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** SHA-256, synchronous in every runtime. */
export const sha256 = (bytes: Uint8Array): Bytes => copyOf(nobleSha256(bytes));

/** SHA-256 as lower-case hexadecimal: the address of a section and of a certificate. */
export const sha256Hex = (bytes: Uint8Array): string => toHex(sha256(bytes));

/** HMAC-SHA-256 (RFC 2104), synchronous in every runtime. */
export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Bytes =>
  copyOf(hmac(nobleSha256, key, message));

/** 32 bytes of HKDF-SHA-256 (RFC 5869) without salt: one key per purpose out of one secret. */
export const deriveKey = (secret: Uint8Array, purpose: string): Bytes =>
  copyOf(hkdf(nobleSha256, secret, undefined, utf8(purpose), 32));

/** RFC 8785 canonical JSON; throws TypeError for a value that JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  const text = canonicalizeJson(value);
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
