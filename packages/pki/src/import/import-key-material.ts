import { type Bytes, copyOf } from '@sallyport/bytes';
import { FaultError, ok, type Result, refuse } from '@sallyport/faults';
import type { PublicKeyFacts } from '@sallyport/model';
import type { AuthorizedKey } from '../authorized-key.ts';
import type { ParsedCertificate } from '../certificate.ts';
import { DerError, sameBytes } from '../der.ts';
import { workBudget } from '../kdf/work-budget.ts';
import type { PrivateKey } from '../private-key.ts';
import { leastRsaBits } from '../public-key.ts';
import type { SshCertificate } from '../ssh-certificate.ts';
import { SshWireError } from '../ssh-wire.ts';
import { orderChain } from './order-chain.ts';
import { readDer } from './read-der.ts';
import { readText } from './read-text.ts';
import { type Contents, type Reading, refusal } from './reading.ts';

/** One of several things in a file, of which an import takes one. */
export type ImportEntry = {
  /** What `choice` takes: unique in the file. */
  readonly name: string;
  readonly key: PublicKeyFacts;
  /** Subject of the certificate that belongs to it. */
  readonly subject?: string;
};

/** What was in the bytes. `recognised` says for people what they were. */
export type ImportedMaterial = { readonly recognised: string } & (
  | {
      readonly form: 'certificates';
      /** Leaf first. */
      readonly chain: readonly ParsedCertificate[];
      /** What does not belong to that chain. */
      readonly extra: readonly ParsedCertificate[];
    }
  | (PrivateKey & {
      readonly form: 'private-key';
      /** Comment or friendly name; empty for none. */
      readonly name: string;
      /** Leaf first, of this key; empty where the file has no certificate. */
      readonly chain: readonly ParsedCertificate[];
      readonly extra: readonly ParsedCertificate[];
    })
  /** `options` must be held by whoever stores the key. */
  | (AuthorizedKey & { readonly form: 'ssh-public-key' })
  | { readonly form: 'ssh-certificate'; readonly certificate: SshCertificate; readonly comment: string }
  /** Several private or public keys: import again with the name of one. */
  | { readonly form: 'choice'; readonly entries: readonly ImportEntry[] }
);

export type ImportOptions = {
  readonly password?: string | undefined;
  /** Name of one entry, as a `choice` named it. */
  readonly choice?: string | undefined;
  /** Take RSA keys of 1024 bits and more, which nothing is signed with here. Default false. */
  readonly allowRsa1024?: boolean | undefined;
  /** Time that passwords may take, estimated in plain JavaScript. Default 6,000. */
  readonly workMilliseconds?: number | undefined;
};

const mostBytes = 1_048_576;
const mostPasswordCharacters = 1_024;
const defaultWork = 6_000;

/** One name each: what the file says, else a number; repeated ones are told apart by a number. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((given, at) => {
    const base =
      given
        .replace(/\p{Cc}+/gu, ' ')
        .trim()
        .slice(0, 200) || `key ${at + 1}`;
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base} (${i})`;
    taken.add(name);
    return name;
  });
}

/** Takes the entry that was chosen, or all; `undefined` where there is none of that name. */
function chosen<T>(
  items: readonly T[],
  names: readonly string[],
  choice: string | undefined,
): T[] | undefined {
  if (choice === undefined) return [...items];
  const at = names.indexOf(choice);
  return at < 0 ? undefined : [items[at] as T];
}

async function assemble(contents: Contents, reading: Reading, choice?: string): Promise<ImportedMaterial> {
  const { recognised } = reading;
  const { certificates = [], privateKeys = [], publicKeys = [], sshCertificates = [] } = contents;
  const unique = certificates.filter(
    (certificate, at) => certificates.findIndex(({ sha256 }) => sha256 === certificate.sha256) === at,
  );
  const noSuch = (): FaultError => refusal('invalid-request', 'there is no entry of that name');

  if (privateKeys.length > 0) {
    const names = uniqueNames(privateKeys.map(({ name }) => name));
    const [key, another] = chosen(privateKeys, names, choice) ?? [];
    if (!key) throw noSuch();
    if (another) {
      const entries = privateKeys.map(({ facts, spki }, at): ImportEntry => {
        const own = unique.find((certificate) => sameBytes(certificate.spki, spki));
        return { name: names[at] as string, key: facts, ...(own ? { subject: own.subject } : {}) };
      });
      return { form: 'choice', recognised, entries };
    }
    if (publicKeys.some(({ spki }) => !privateKeys.some((one) => sameBytes(one.spki, spki)))) {
      throw refusal('key-mismatch', 'the public key in it is not that of the private key');
    }
    const ordered = unique.length === 0 ? { chain: [], extra: [] } : await orderChain(unique, key.spki);
    if (!ordered) throw refusal('key-mismatch', 'no certificate in it belongs to the private key');
    return { form: 'private-key', recognised, ...key, ...ordered };
  }
  if (unique.length > 0) {
    if (publicKeys.length > 0 || sshCertificates.length > 0) {
      throw refusal('key-malformed', 'certificates and public keys in one file');
    }
    const { chain, extra } = (await orderChain(unique)) ?? { chain: [], extra: [] };
    return { form: 'certificates', recognised, chain, extra };
  }
  const entries = [
    ...publicKeys.map((key) => ({ name: key.comment, facts: key.facts, key })),
    ...sshCertificates.map((one) => ({ name: one.certificate.keyId, facts: one.certificate.facts, one })),
  ];
  const names = uniqueNames(entries.map(({ name }) => name));
  const [entry, another] = chosen(entries, names, choice) ?? [];
  if (!entry) throw choice === undefined ? refusal('key-malformed', 'there is no key in it') : noSuch();
  if (another) {
    const listed = entries.map(({ facts }, at) => ({ name: names[at] as string, key: facts }));
    return { form: 'choice', recognised, entries: listed };
  }
  return 'key' in entry
    ? { form: 'ssh-public-key', recognised, ...entry.key }
    : { form: 'ssh-certificate', recognised, ...entry.one };
}

const byteOrderMarks = { utf8: [0xef, 0xbb, 0xbf], utf16: [0xff, 0xfe] } as const;
const startsWith = (bytes: Bytes, mark: readonly number[]): boolean =>
  mark.every((octet, i) => bytes[i] === octet);

/** Text of the bytes, and the same with one octet in each character; nothing for what is no text. */
function asText(bytes: Bytes): { readonly text: string; readonly octets: string } | undefined {
  const utf16 = startsWith(bytes, byteOrderMarks.utf16);
  const body = startsWith(bytes, byteOrderMarks.utf8) ? bytes.subarray(3) : bytes;
  if (!utf16 && body.some((octet) => octet < 0x20 && octet !== 0x09 && octet !== 0x0a && octet !== 0x0d)) {
    return undefined;
  }
  // The encoding that the web calls latin1 is another one (windows-1252).
  let octets = '';
  for (let at = 0; at < body.length; at += 0x8000)
    octets += String.fromCharCode(...body.subarray(at, at + 0x8000));
  return { text: new TextDecoder(utf16 ? 'utf-16le' : 'utf-8').decode(bytes), octets };
}

async function read(bytes: Bytes, reading: Reading): Promise<Contents> {
  const text = asText(bytes);
  if (text) return readText(text.text, text.octets, reading);
  if (bytes[0] === 0x30) return readDer(bytes, reading);
  throw refusal('key-material-unrecognised', 'bytes that are no key and no certificate');
}

/**
 * Reads keys and certificates in whatever form they come, told by the bytes alone: X.509 in PEM and DER, bundles,
 * PKCS#7, PKCS#12, PKCS#8, PKCS#1, SEC 1, OpenSSH and PuTTY private keys, SSH public keys and certificates.
 * Everything that comes out is proved: a private key belongs to its public one, a chain is in order. It trusts
 * nobody: whether a certificate is to be believed is another question.
 *
 * @param bytes at most 1 MiB
 * @returns the material, or a refusal whose detail says what was recognised and what is wrong with it:
 *   `body-too-large`, `key-material-unrecognised`, `key-malformed`, `certificate-malformed`, `key-unsupported`,
 *   `key-option-unsupported`, `key-password-required`, `key-password-wrong`, `key-too-costly`, `key-mismatch`,
 *   `invalid-request` (a choice that is none). Never a throw, never a secret in it.
 */
export async function importKeyMaterial(
  bytes: Uint8Array,
  options: ImportOptions = {},
): Promise<Result<ImportedMaterial>> {
  if (bytes.length > mostBytes) return refuse('body-too-large', `more than ${mostBytes} bytes`);
  if ((options.password?.length ?? 0) > mostPasswordCharacters) {
    return refuse('invalid-request', `a password has at most ${mostPasswordCharacters} characters`);
  }
  const reading: Reading = {
    password: options.password,
    budget: workBudget(options.workMilliseconds ?? defaultWork),
    leastRsaBits: options.allowRsa1024 ? 1_024 : leastRsaBits,
    recognised: '',
  };
  const refused = (code: Parameters<typeof refuse>[0], detail: string): Result<never> =>
    refuse(code, reading.recognised === '' ? detail : `${reading.recognised}: ${detail}`);
  try {
    return ok(await assemble(await read(copyOf(bytes), reading), reading, options.choice));
  } catch (error) {
    if (error instanceof FaultError) return refused(error.fault.code, error.fault.detail ?? error.message);
    if (error instanceof DerError || error instanceof SshWireError)
      return refused('key-malformed', error.message);
    throw error;
  }
}
