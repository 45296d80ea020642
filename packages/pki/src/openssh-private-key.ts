import { ctr } from '@noble/ciphers/aes.js';
import { type Bytes, concat, copyOf, fromBase64Url, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { KeyType } from '@sallyport/model';
import { DerError, DerReader, oidText, tags, tryDer } from './der.ts';
import { givenPassword } from './export/pbes2.ts';
import { bcryptPbkdf } from './kdf/derive-key.ts';
import { unboundedWork } from './kdf/work-budget.ts';
import { signingAlgorithm } from './key-pair.ts';
import { oids } from './oids.ts';
import { toPem } from './pem.ts';
import { encodeSshBlob, sshKeyName } from './ssh-key.ts';
import { sshMpint, sshString, sshUint32 } from './ssh-wire.ts';

/** Rounds of bcrypt: what ssh-keygen takes by itself since OpenSSH 9.4. */
const rounds = 24;

/** The private part encrypted with AES-256 in counter mode, and what the file says of its protection. */
function protect(padded: Bytes, passphrase: string): { readonly header: Bytes; readonly body: Bytes } {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const material = bcryptPbkdf({ password: utf8(passphrase), salt, rounds, length: 48 }, unboundedWork);
  const options = concat(sshString(salt), sshUint32(rounds));
  return {
    header: concat(sshString('aes256-ctr'), sshString('bcrypt'), sshString(options)),
    body: copyOf(ctr(material.subarray(0, 32), material.subarray(32)).encrypt(padded)),
  };
}

function typeOf(pkcs8: Bytes): KeyType | undefined {
  const read = tryDer(pkcs8, (own) => {
    const info = new DerReader(own).inside(tags.sequence);
    info.next(tags.integer);
    const algorithm = info.inside(tags.sequence);
    const oid = oidText(algorithm.next(tags.oid));
    const curve = algorithm.optional(tags.oid);
    return { oid, curve: curve && oidText(curve) };
  });
  if (read instanceof DerError) return undefined;
  if (read.oid === oids.rsaEncryption) return 'rsa';
  if (read.oid === oids.ed25519) return 'ed25519';
  if (read.oid !== oids.ecPublicKey) return undefined;
  if (read.curve === oids.p256) return 'ecdsa-p256';
  if (read.curve === oids.p384) return 'ecdsa-p384';
  return read.curve === oids.p521 ? 'ecdsa-p521' : undefined;
}

/** Public blob and private fields (after the key type name) of a key that WebCrypto has read. */
function fields(type: KeyType, jwk: JsonWebKey): { readonly blob: Bytes; readonly secret: Bytes } {
  const octets = (member: 'n' | 'e' | 'd' | 'p' | 'q' | 'qi' | 'x' | 'y'): Bytes =>
    fromBase64Url(jwk[member] ?? '');
  switch (type) {
    case 'rsa':
      return {
        blob: encodeSshBlob({ type, modulus: octets('n'), exponent: octets('e') }),
        secret: concat(
          ...(['n', 'e', 'd', 'qi', 'p', 'q'] as const).map((member) => sshMpint(octets(member))),
        ),
      };
    case 'ed25519': {
      const point = octets('x');
      return {
        blob: encodeSshBlob({ type, point }),
        secret: concat(sshString(point), sshString(concat(octets('d'), point))),
      };
    }
    default: {
      const point = concat(Uint8Array.of(4), octets('x'), octets('y'));
      const curve = sshKeyName(type).slice('ecdsa-sha2-'.length);
      return {
        blob: encodeSshBlob({ type, point }),
        secret: concat(sshString(curve), sshString(point), sshMpint(octets('d'))),
      };
    }
  }
}

/**
 * Writes a private key in OpenSSH's own form (PROTOCOL.key of OpenSSH).
 *
 * @param pkcs8 PKCS#8 DER of an RSA, ECDSA or Ed25519 key
 * @param passphrase encrypts it: aes256-ctr under bcrypt. Left out, the key is in clear
 * @returns PEM text `OPENSSH PRIVATE KEY`
 * @throws FaultError `key-unsupported` or `key-malformed`; `invalid-request` for an empty passphrase
 */
export async function opensshPrivateKey(pkcs8: Bytes, comment = '', passphrase?: string): Promise<string> {
  const type = typeOf(pkcs8);
  if (!type) throw new FaultError({ code: 'key-unsupported', detail: 'not an RSA, ECDSA or Ed25519 key' });
  let jwk: JsonWebKey;
  try {
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, signingAlgorithm(type).key, true, ['sign']);
    jwk = await crypto.subtle.exportKey('jwk', key);
  } catch (cause) {
    throw new FaultError({ code: 'key-malformed', detail: 'the private key does not load' }, { cause });
  }
  const { blob, secret } = fields(type, jwk);
  // Equal numbers tell a reader that decryption worked.
  const check = crypto.getRandomValues(new Uint8Array(4));
  const body = concat(check, check, sshString(sshKeyName(type)), secret, sshString(comment));
  // Block sizes of no cipher and of AES.
  const block = passphrase === undefined ? 8 : 16;
  const padding = Uint8Array.from({ length: (block - (body.length % block)) % block }, (_, i) => i + 1);
  const padded = concat(body, padding);
  const { header, body: written } =
    passphrase === undefined
      ? { header: concat(sshString('none'), sshString('none'), sshString('')), body: padded }
      : protect(padded, givenPassword(passphrase));
  const file = concat(utf8('openssh-key-v1\0'), header, sshUint32(1), sshString(blob), sshString(written));
  // OpenSSH itself breaks at 70 characters; every reader takes RFC 7468's 64.
  return toPem('OPENSSH PRIVATE KEY', file);
}
