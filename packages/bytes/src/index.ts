export { fromBase32, toBase32 } from './base32.ts';
export {
  type Bytes,
  canonicalJson,
  concat,
  copyOf,
  deriveKey,
  equalConstantTime,
  fromBase64,
  fromBase64Url,
  fromUtf8,
  hmacSha256,
  sha256,
  sha256Hex,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from './bytes.ts';
