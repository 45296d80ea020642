import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import type { PublicKeyFacts } from '@sallyport/model';
import { keyFacts } from './key-facts.ts';
import { encodeSpki } from './public-key.ts';
import { sourcePatterns } from './source-patterns.ts';
import { parseSshBlob, sshKeyName } from './ssh-key.ts';

/** What the options of a line come to here. */
export type AuthorizedKeyOptions = {
  /** End of the key's use, RFC 3339. */
  readonly validUntil?: string;
  /** Networks that the key may be used from; absent: from everywhere. */
  readonly sources?: readonly string[];
  /** The key is no login: it is a CA that certifies logins. */
  readonly certAuthority?: true;
};

/** Options that only some callers can hold; who does not is never given a key that has them. */
export type HeldOption = 'from' | 'cert-authority';

/** One line of an authorized_keys file. */
export type AuthorizedKey = {
  /** SSH key blob. */
  readonly blob: Bytes;
  /** DER SubjectPublicKeyInfo of the same key. */
  readonly spki: Bytes;
  readonly facts: PublicKeyFacts;
  readonly comment: string;
  readonly options: AuthorizedKeyOptions;
};

const longestLine = 16_384;

/** Options that take away what these gateways never give. */
const alreadyTrue: ReadonlySet<string> = new Set([
  'restrict',
  'no-agent-forwarding',
  'no-port-forwarding',
  'no-pty',
  'no-user-rc',
  'no-x11-forwarding',
]);

const keyTypeName = /^(?:ssh-|ecdsa-|sk-|webauthn-)[a-z0-9@.-]+$/;

/** Position of the first character that `ends` accepts outside double quotes; the length where there is none. */
function endOfToken(text: string, start: number, ends: (character: string) => boolean): number {
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\' && text.charAt(at + 1) === '"') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && ends(character)) return at;
  }
  return text.length;
}

const isBlank = (character: string): boolean => character === ' ' || character === '\t';

/** The text in double quotes, `\"` standing for a quote; nothing where it is not one quoted text. */
function unquote(text: string): string | undefined {
  return /^"(?:[^"\\]|\\.)*"$/.test(text) ? text.slice(1, -1).replaceAll('\\"', '"') : undefined;
}

/**
 * Reads OpenSSH's expiry-time: YYYYMMDD or YYYYMMDDHHMM[SS], each with or without `Z` (sshd(8)).
 * The form without `Z` means local time there; a control plane has no local time, so it is read as UTC.
 */
function expiryTime(text: string): Date | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?Z?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00'] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) || date.toISOString() !== iso ? undefined : date;
}

function parseOptions(text: string, holds: ReadonlySet<HeldOption>): Result<AuthorizedKeyOptions> {
  const unsupported = (name: string): Result<never> =>
    refuse('key-option-unsupported', `option ${name.slice(0, 100)}`);
  let expiry: Date | undefined;
  let sources: readonly string[] | undefined;
  let certAuthority = false;
  for (let at = 0; at <= text.length; ) {
    const end = endOfToken(text, at, (character) => character === ',');
    const option = text.slice(at, end);
    at = end + 1;
    const equals = option.indexOf('=');
    // OpenSSH compares option names without regard to case.
    const name = (equals < 0 ? option : option.slice(0, equals)).toLowerCase();
    if (name === '') return refuse('key-malformed', 'an option without a name');
    if (equals < 0 && alreadyTrue.has(name)) continue;
    if (name === 'cert-authority' && equals < 0 && holds.has('cert-authority')) {
      certAuthority = true;
      continue;
    }
    const value = unquote(equals < 0 ? '' : option.slice(equals + 1));
    if (name === 'from' && holds.has('from')) {
      if (sources) return refuse('key-malformed', 'option from is there twice');
      if (value === undefined) return refuse('key-malformed', 'option from is not a list in double quotes');
      const patterns = sourcePatterns(value);
      if (patterns.kind === 'unsupported') {
        return unsupported(`from with the pattern ${patterns.pattern.slice(0, 64)}`);
      }
      sources = patterns.networks;
      continue;
    }
    if (name !== 'expiry-time') return unsupported(name);
    const date = value === undefined ? undefined : expiryTime(value);
    if (!date) return refuse('key-malformed', 'option expiry-time is not a date in double quotes');
    // Of several, the earliest holds (auth2-pubkeyfile.c of OpenSSH).
    if (!expiry || date < expiry) expiry = date;
  }
  return ok({
    ...(expiry ? { validUntil: expiry.toISOString().replace('.000Z', 'Z') } : {}),
    ...(sources ? { sources } : {}),
    ...(certAuthority ? { certAuthority } : {}),
  });
}

/**
 * Reads one line of an authorized_keys file: options, key type, base64, comment (sshd(8)).
 * `expiry-time` becomes `validUntil`; `restrict` and `no-*` are true here already; `from` and `cert-authority` are
 * taken from who holds them; any other option refuses the line, because the key would get more than its owner meant.
 *
 * @param line one line, with or without its line end
 * @param rules `holds`: options whose consequences the caller sees to; `leastRsaBits`: default 2048
 * @returns the key in both encodings; `key-malformed`, `key-unsupported` or, naming the option,
 *   `key-option-unsupported`
 */
export function parseAuthorizedKey(
  line: string,
  rules: { readonly holds?: readonly HeldOption[]; readonly leastRsaBits?: number } = {},
): Result<AuthorizedKey> {
  const text = line.replace(/\r?\n$/, '').trim();
  if (line.length > longestLine)
    return refuse('key-malformed', `a line has at most ${longestLine} characters`);
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text)) {
    return refuse('key-malformed', 'one line, without control characters');
  }
  if (text === '' || text.startsWith('#')) return refuse('key-malformed', 'there is no key in this line');

  let at = 0;
  const token = (): string => {
    const start = at;
    at = endOfToken(text, start, isBlank);
    const found = text.slice(start, at);
    while (isBlank(text.charAt(at))) at++;
    return found;
  };
  const first = token();
  const hasOptions = !keyTypeName.test(first);
  const type = hasOptions ? token() : first;
  const options = hasOptions ? parseOptions(first, new Set(rules.holds)) : ok<AuthorizedKeyOptions>({});
  if (!keyTypeName.test(type)) return refuse('key-malformed', 'this is not an SSH public key line');
  if (!options.ok) return options;
  // The rest is free text; quotes in it mean nothing.
  const [, base64 = '', comment = ''] = /^(\S*)\s*(.*)$/.exec(text.slice(at)) ?? [];

  let blob: Bytes;
  try {
    blob = fromBase64(base64);
  } catch {
    return refuse('key-malformed', 'the key is not base64');
  }
  const parts = parseSshBlob(blob, rules.leastRsaBits);
  if (!parts.ok) return parts;
  if (sshKeyName(parts.value.type) !== type) {
    return refuse('key-malformed', 'the key is not of the type that the line names');
  }
  const spki = encodeSpki(parts.value);
  const facts = keyFacts(spki, rules.leastRsaBits);
  return facts.ok ? ok({ blob, spki, facts: facts.value, comment, options: options.value }) : facts;
}
