import { type Bytes, concat, utf8 } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import { keyFacts } from './key-facts.ts';
import type { KeyPair } from './key-pair.ts';
import { ecdsaNumbers, signMessage } from './sign.ts';
import { sourcePatterns } from './source-patterns.ts';
import { parseSshCertificate, sshCertificateName } from './ssh-certificate.ts';
import { parseSshBlob, sshBlobOf, sshKeyName } from './ssh-key.ts';
import { SshReader, sshMpint, sshString, sshUint32, sshUint64 } from './ssh-wire.ts';
import { sshCertificateSigned } from './verify-ssh-certificate.ts';

/** What an OpenSSH certificate says. */
export type SshCertificateContent = {
  readonly kind: 'user' | 'host';
  /** SSH key blob that is certified. */
  readonly key: Bytes;
  readonly serial: bigint;
  /** Shown in logs of whoever is logged in to. */
  readonly keyId: string;
  /** Login names or host names; at least one. */
  readonly principals: readonly string[];
  readonly validAfter: Date;
  /** Absent: for ever. */
  readonly validBefore?: Date | undefined;
  /** Networks that a user may come from; absent: everywhere. */
  readonly sources?: readonly string[] | undefined;
  readonly forceCommand?: string | undefined;
  /** Such as `permit-pty`; default none, since file transfer needs none. */
  readonly extensions?: readonly string[] | undefined;
};

const forever = 0xffff_ffff_ffff_ffffn;
const seconds = (date: Date): bigint => BigInt(Math.floor(date.getTime() / 1_000));

const invalid = (detail: string): FaultError => new FaultError({ code: 'invalid-request', detail });

/** Pairs in ascending order of their names (PROTOCOL.certkeys); an empty value is a flag. */
const encodeOptions = (options: readonly (readonly [name: string, value: string])[]): Bytes =>
  concat(
    ...options
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => [
        sshString(name),
        sshString(value === '' ? new Uint8Array(0) : sshString(utf8(value))),
      ]),
  );

function check({ kind, principals, keyId, sources, forceCommand, ...content }: SshCertificateContent): void {
  if (principals.length === 0 || principals.length > 256) throw invalid('1 to 256 principals');
  if ([keyId, ...principals].some((text) => text === '' || text.length > 256 || /[\p{Cc},]/u.test(text))) {
    throw invalid('names of 1 to 256 characters, without commas and control characters');
  }
  if (content.validBefore !== undefined && !(content.validAfter < content.validBefore)) {
    throw invalid('validity ends before it begins');
  }
  if (content.serial < 0n || content.serial >= 1n << 64n) throw invalid('a serial number has 64 bits');
  if (kind === 'host' && (sources || forceCommand !== undefined)) throw invalid('options are for users');
  if (sources && sourcePatterns(sources.join(',')).kind === 'unsupported')
    throw invalid('sources are networks');
}

/**
 * Signs an OpenSSH certificate (PROTOCOL.certkeys of OpenSSH).
 *
 * @param ca PKCS#8 and SPKI of the CA's key, both DER; RSA signs as rsa-sha2-512
 * @returns the certificate blob
 * @throws FaultError `invalid-request`, `key-mismatch`, and the faults of the keys
 */
export async function signSshCertificate(ca: KeyPair, content: SshCertificateContent): Promise<Bytes> {
  check(content);
  const { type: caType } = unwrap(keyFacts(ca.spki));
  const { type } = unwrap(parseSshBlob(content.key));
  const fields = new SshReader(content.key);
  fields.string();
  const publicKey = fields.octets(content.key.length - fields.at);
  const options: (readonly [string, string])[] = [];
  if (content.sources) options.push(['source-address', content.sources.join(',')]);
  if (content.forceCommand !== undefined) options.push(['force-command', content.forceCommand]);
  const signed = concat(
    sshString(sshCertificateName(type)),
    sshString(crypto.getRandomValues(new Uint8Array(32))),
    publicKey,
    sshUint64(content.serial),
    sshUint32(content.kind === 'user' ? 1 : 2),
    sshString(content.keyId),
    sshString(concat(...content.principals.map(sshString))),
    sshUint64(seconds(content.validAfter)),
    sshUint64(content.validBefore ? seconds(content.validBefore) : forever),
    sshString(encodeOptions(options)),
    sshString(encodeOptions((content.extensions ?? []).map((name) => [name, '']))),
    sshString(''),
    sshString(unwrap(sshBlobOf(ca.spki))),
  );
  const raw = await signMessage(ca.privateKey, caType, signed, 'SHA-512');
  const numbers = (): Bytes => concat(...ecdsaNumbers(raw).map(sshMpint));
  const signature = concat(
    sshString(caType === 'rsa' ? 'rsa-sha2-512' : sshKeyName(caType)),
    sshString(caType === 'rsa' || caType === 'ed25519' ? raw : numbers()),
  );
  const blob = concat(signed, sshString(signature));
  if (!(await sshCertificateSigned(unwrap(parseSshCertificate(blob))))) {
    throw new FaultError({
      code: 'key-mismatch',
      detail: 'the private key of the CA is not of its public one',
    });
  }
  return blob;
}
