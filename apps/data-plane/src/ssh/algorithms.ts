import type { SshServer } from '@sallyport/model';
import type { Identity } from '../zone-view.ts';

/** Algorithms of the transport, best first (RFC 4253 section 7.1). */
export type TransportAlgorithms = {
  readonly kex: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
};

/** The algorithm policies as SSH lists. Group exchange is on none of them: the engine's server side cannot do it. */
const transportAlgorithms: Readonly<Record<SshServer['algorithmPolicy'], TransportAlgorithms>> = {
  modern: {
    kex: [
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group14-sha256',
    ],
    ciphers: [
      'aes128-gcm@openssh.com',
      'aes256-gcm@openssh.com',
      'chacha20-poly1305@openssh.com',
      'aes128-ctr',
      'aes192-ctr',
      'aes256-ctr',
    ],
    macs: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
    ],
  },
};

/** The lists of a server's algorithm policy. */
export const algorithmsOf = (policy: SshServer['algorithmPolicy']): TransportAlgorithms =>
  transportAlgorithms[policy];

/** Signature algorithms of a host key, best first; never SHA-1 (RFC 8332 section 3.1). */
export const hostKeyAlgorithms: Readonly<Record<Identity['keyType'], readonly string[]>> = {
  ed25519: ['ssh-ed25519'],
  'ecdsa-p256': ['ecdsa-sha2-nistp256'],
  'ecdsa-p384': ['ecdsa-sha2-nistp384'],
  'ecdsa-p521': ['ecdsa-sha2-nistp521'],
  rsa: ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Signature algorithms that a client's key may use, as `server-sig-algs` announces them (RFC 8308 section 3.1). */
export const clientSignatureAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;
export type ClientSignatureAlgorithm = (typeof clientSignatureAlgorithms)[number];
