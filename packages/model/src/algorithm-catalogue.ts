import type { KeyType } from './certificate.ts';

/** Signature algorithms of SSH keys, of servers and of clients. */
const signatures = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;

/** All that the engines can serve and that may be served: a policy chooses among these. */
export const algorithmCatalogue = {
  ssh: {
    kex: [
      'mlkem768x25519-sha256',
      'sntrup761x25519-sha512',
      'sntrup761x25519-sha512@openssh.com',
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group14-sha256',
      'diffie-hellman-group15-sha512',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group17-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group14-sha1',
    ],
    hostKeys: signatures,
    clientKeys: signatures,
    ciphers: [
      'aes128-gcm@openssh.com',
      'aes256-gcm@openssh.com',
      'chacha20-poly1305@openssh.com',
      'aes128-ctr',
      'aes192-ctr',
      'aes256-ctr',
      'aes128-cbc',
      'aes192-cbc',
      'aes256-cbc',
    ],
    macs: [
      'hmac-sha2-256-etm@openssh.com',
      'hmac-sha2-512-etm@openssh.com',
      'hmac-sha1-etm@openssh.com',
      'hmac-sha2-256',
      'hmac-sha2-512',
      'hmac-sha1',
    ],
  },
  tls: {
    suites: [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384',
      'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384',
      'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
      'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
      'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
      'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
    ],
    groups: [
      'X25519MLKEM768',
      'SecP256r1MLKEM768',
      'SecP384r1MLKEM1024',
      'X25519',
      'secp256r1',
      'secp384r1',
      'secp521r1',
      'X448',
      'ffdhe3072',
      'ffdhe4096',
    ],
    signatures: [
      'ecdsa_secp256r1_sha256',
      'ed25519',
      'ecdsa_secp384r1_sha384',
      'ecdsa_secp521r1_sha512',
      'rsa_pss_rsae_sha256',
      'rsa_pss_rsae_sha384',
      'rsa_pss_rsae_sha512',
      'rsa_pkcs1_sha256',
      'rsa_pkcs1_sha384',
      'rsa_pkcs1_sha512',
    ],
  },
} as const;

/** Signature algorithms that an SSH key of this type can be used with, best first (RFC 8332, RFC 5656, RFC 8709). */
export const sshSignatureAlgorithms: Readonly<Record<KeyType, readonly string[]>> = {
  ed25519: ['ssh-ed25519'],
  'ecdsa-p256': ['ecdsa-sha2-nistp256'],
  'ecdsa-p384': ['ecdsa-sha2-nistp384'],
  'ecdsa-p521': ['ecdsa-sha2-nistp521'],
  rsa: ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
};

/** Signature schemes that a TLS certificate with a key of this type can be used with (RFC 8446 section 4.2.3). */
export const tlsSignatureSchemes: Readonly<Record<KeyType, readonly string[]>> = {
  ed25519: ['ed25519'],
  'ecdsa-p256': ['ecdsa_secp256r1_sha256'],
  'ecdsa-p384': ['ecdsa_secp384r1_sha384'],
  'ecdsa-p521': ['ecdsa_secp521r1_sha512'],
  rsa: algorithmCatalogue.tls.signatures.filter((name) => name.startsWith('rsa_')),
};

/** Why names that people ask for are not in the catalogue; the first pattern that matches is told. */
export const refusedAlgorithms: readonly { readonly pattern: RegExp; readonly reason: string }[] = [
  {
    pattern: /^diffie-hellman-group-exchange/,
    reason: 'the server side of the engine has no group exchange; use a fixed group',
  },
  { pattern: /^diffie-hellman-group1-/, reason: 'a group of 1024 bits is broken by whoever prepares for it' },
  { pattern: /^rsa(1024|2048)-/, reason: 'the engine has no RSA key exchange' },
  { pattern: /^(ssh-dss|x509v3-.*dss)/, reason: 'DSA of 1024 bits with SHA-1 is broken' },
  {
    pattern: /^x509v3-/,
    reason: 'the engine takes plain SSH keys; the certificate stays in the control plane',
  },
  {
    pattern: /-cert-v0[01]@openssh\.com$/,
    reason: 'a certificate of a user goes by the algorithm of its key; servers present none',
  },
  { pattern: /^sk-/, reason: 'the engine verifies no signature of a hardware security key' },
  { pattern: /^(arcfour|rc4)|_RC4_/, reason: 'RC4 is broken (RFC 7465, RFC 8758)' },
  {
    pattern: /^(3des|blowfish|cast128|idea)-|_3DES_/,
    reason: 'a cipher with blocks of 64 bits leaks long transfers',
  },
  { pattern: /md5|ripemd|-96(-|$)/, reason: 'its hash is broken or its tag is short' },
  {
    pattern: /^TLS_RSA_|_anon_|_NULL_|_EXPORT/,
    reason: 'no forward secrecy, no authentication or no encryption',
  },
  {
    pattern: /^(rsa_pkcs1|ecdsa)_sha1$/,
    reason: 'SHA-1 signatures are broken, and the engine makes none (RFC 9155)',
  },
  { pattern: /^rsa_pss_pss_/, reason: 'certificates with RSA-PSS keys are not held' },
  { pattern: /^(none|zlib)/, reason: 'it does not protect anything' },
];
