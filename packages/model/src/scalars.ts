import { z } from 'zod';

/** Identifier of a resource: text chosen by the server. */
export const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);

/** Alias of a zone, server, certificate or node (design section 3; reference F1). */
export const alias = z.string().regex(/^[a-z0-9-]{1,80}$/, 'use a-z, 0-9 and -, at most 80 characters');

/** RFC 3339 time in UTC. */
export const time = z.iso.datetime();

/** SHA-256 in lower-case hexadecimal. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Base64 with padding. */
export const base64 = z.base64();

/** Address to bind or to connect to: IP address or host name. */
export const host = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9.:_-]+$/);

export const port = z.int().min(1).max(65_535);

/** IPv4 or IPv6 network, `10.0.0.0/8`. */
export const cidr = z.union([z.cidrv4(), z.cidrv6()]);

/**
 * Any text but NUL, where the database would cut it off, and halves of surrogate pairs, which are no characters and
 * come back from the database as others.
 */
export const text = z.string().regex(/^[^\u0000\ud800-\udfff]*$/u, 'no NUL and no half of a surrogate pair');

/** Text of one line, in any script. */
export const line = z
  .string()
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]*$/u, 'no control characters');

/** Name of a group of accounts. */
export const group = line.min(1).max(80);

/** Printable text of one line for people. */
export const label = line.max(200);

/**
 * Text as a peer sent it and a node reports it. A report is never lost for what a stranger typed: what `text` refuses is
 * replaced by a visible sign.
 */
export const reportedText = z
  .string()
  .overwrite((value) => value.toWellFormed().replaceAll('\u0000', '\u2400'));
