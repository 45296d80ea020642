import { type Bytes, concat, fromBase64Url, utf8 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { KeyType } from '@sallyport/model';
import { DerError, DerReader, oidText, tags, tryDer } from './der.ts';
import { signingAlgorithm } from './key-pair.ts';
import { oids } from './oids.ts';
import { toPem } from './pem.ts';
import { encodeSshBlob, sshKeyName } from './ssh-key.ts';
import { sshMpint, sshString, sshUint32 } from './ssh-wire.ts';

/** Block size of the unencrypted form (PROTOCOL.key of OpenSSH). */
const padTo = 8;

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
 * Writes a private key in OpenSSH's own form, unencrypted (PROTOCOL.key of OpenSSH).
 *
 * @param pkcs8 PKCS#8 DER of an RSA, ECDSA or Ed25519 key
 * @returns PEM text `OPENSSH PRIVATE KEY`
 * @throws FaultError `key-unsupported` or `key-malformed`
 */
export async function opensshPrivateKey(pkcs8: Bytes, comment = ''): Promise<string> {
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
  // Equal numbers tell a reader that decryption worked; nothing is encrypted here.
  const check = crypto.getRandomValues(new Uint8Array(4));
  const body = concat(check, check, sshString(sshKeyName(type)), secret, sshString(comment));
  const padding = Uint8Array.from({ length: (padTo - (body.length % padTo)) % padTo }, (_, i) => i + 1);
  const file = concat(
    utf8('openssh-key-v1\0'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    sshUint32(1),
    sshString(blob),
    sshString(concat(body, padding)),
  );
  // OpenSSH itself breaks at 70 characters; every reader takes RFC 7468's 64.
  return toPem('OPENSSH PRIVATE KEY', file);
}
