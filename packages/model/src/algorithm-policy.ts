import type { FieldFault } from '@sallyport/faults';
import { z } from 'zod';
import { algorithmCatalogue, refusedAlgorithms, tlsSignatureSchemes } from './algorithm-catalogue.ts';
import type { KeyType } from './certificate.ts';
import { alias, id, label, time } from './scalars.ts';

/** Printable ASCII without a comma (RFC 4251 section 6). */
const algorithmName = z.string().regex(/^[!-+\--~]{1,64}$/, 'the name of an algorithm');
const algorithmList = z.array(algorithmName).min(1).max(64);

/** Algorithms of SSH, best first in each list. */
export const sshAlgorithms = z.strictObject({
  kex: algorithmList,
  /** Signatures of the host key; those of an assigned key are offered. */
  hostKeys: algorithmList,
  /** Signatures that a client's key may use; `server-sig-algs` announces them (RFC 8308 section 3.1). */
  clientKeys: algorithmList,
  ciphers: algorithmList,
  /** For ciphers that do not authenticate by themselves. */
  macs: algorithmList,
});
export type SshAlgorithms = z.infer<typeof sshAlgorithms>;

export const tlsVersions = ['1.2', '1.3'] as const;

/** ECDSA on P-256 is the fastest to sign with and known to every client. */
const modernTlsSignatures: readonly string[] = algorithmCatalogue.tls.signatures;

/** Algorithms of TLS, best first in each list; suites, groups and signatures have their IANA names. */
export const tlsAlgorithms = z.strictObject({
  versions: z.array(z.enum(tlsVersions)).min(1).max(2),
  suites: algorithmList,
  groups: algorithmList,
  /** Of the server's certificate and of clients'; those of `modern` where it is left out. */
  signatures: algorithmList.default([...modernTlsSignatures]),
});
export type TlsAlgorithms = z.infer<typeof tlsAlgorithms>;

/** What a server is held to, whatever protocol it speaks. */
export const algorithmLists = z.strictObject({ ssh: sshAlgorithms, tls: tlsAlgorithms });
export type AlgorithmLists = z.infer<typeof algorithmLists>;

/** A named choice of algorithms. Built-in ones are the same in every installation and cannot be changed. */
export const algorithmPolicy = z.strictObject({
  id,
  name: alias,
  description: label.optional(),
  origin: z.enum(['built-in', 'custom']),
  ssh: sshAlgorithms,
  tls: tlsAlgorithms,
  version: z.int(),
  createdAt: time.optional(),
});
export type AlgorithmPolicy = z.infer<typeof algorithmPolicy>;

const modernTls: TlsAlgorithms = {
  versions: ['1.2', '1.3'],
  // TLS 1.3 (RFC 8446 appendix B.4), then ECDHE with AEAD for TLS 1.2 (RFC 9325 section 4.2).
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
  ],
  // The hybrid with ML-KEM first: whoever records this traffic cannot open it with a later quantum computer.
  groups: ['X25519MLKEM768', 'X25519', 'secp256r1', 'secp384r1'],
  signatures: [...modernTlsSignatures],
};

const modernSignatures = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

const modernSsh: SshAlgorithms = {
  kex: [
    'mlkem768x25519-sha256',
    'sntrup761x25519-sha512',
    'sntrup761x25519-sha512@openssh.com',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'diffie-hellman-group16-sha512',
  ],
  hostKeys: modernSignatures,
  clientKeys: modernSignatures,
  ciphers: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
  ],
  // The last two are for clients on libssh2 before 1.11, which know no encrypt-then-MAC.
  macs: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
};

const builtIn = (name: string, description: string, lists: AlgorithmLists): AlgorithmPolicy => ({
  id: name,
  name,
  description,
  origin: 'built-in',
  ...lists,
  version: 1,
});

/** The default of every server: nothing that is known to be weak, post-quantum key exchange first. */
export const modernPolicy = builtIn('modern', 'Strong algorithms of current clients, post-quantum first', {
  ssh: modernSsh,
  tls: modernTls,
});

/** What older partners need beside it: NIST curves, 2048-bit groups, CBC and, last of all, SHA-1. */
const compatiblePolicy = builtIn(
  'compatible',
  'As modern, and what partners of the last fifteen years need',
  {
    ssh: {
      kex: [
        ...modernSsh.kex,
        'ecdh-sha2-nistp256',
        'ecdh-sha2-nistp384',
        'ecdh-sha2-nistp521',
        'diffie-hellman-group14-sha256',
        'diffie-hellman-group14-sha1',
      ],
      hostKeys: [...modernSsh.hostKeys, 'ssh-rsa'],
      clientKeys: [...modernSsh.clientKeys, 'ssh-rsa'],
      ciphers: [...modernSsh.ciphers, 'aes256-cbc', 'aes192-cbc', 'aes128-cbc'],
      macs: [...modernSsh.macs, 'hmac-sha1-etm@openssh.com', 'hmac-sha1'],
    },
    tls: {
      ...modernTls,
      suites: [
        ...modernTls.suites,
        'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256',
        'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
        'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384',
        'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384',
        'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
        'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA',
        'TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
        'TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA',
      ],
      groups: [...modernTls.groups, 'secp521r1'],
    },
  },
);

/**
 * The lists that the field calls FIPS, without SHA-1 signatures (NIST SP 800-131A revision 2): a restriction of
 * algorithms, no validation of the module that runs them.
 */
const fipsPolicy = builtIn('fips', 'Algorithms of SP 800-131A alone; no validated module', {
  ssh: {
    kex: [
      'ecdh-sha2-nistp384',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group17-sha512',
      'diffie-hellman-group15-sha512',
      'diffie-hellman-group14-sha256',
    ],
    hostKeys: [
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ],
    clientKeys: [
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp521',
      'rsa-sha2-512',
      'rsa-sha2-256',
    ],
    ciphers: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'],
    macs: [...modernSsh.macs],
  },
  tls: {
    versions: ['1.2', '1.3'],
    suites: [
      'TLS_AES_256_GCM_SHA384',
      'TLS_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    ],
    groups: ['secp384r1', 'secp256r1', 'secp521r1'],
    signatures: modernTlsSignatures.filter((name) => name !== 'ed25519'),
  },
});

/** In the order in which an operator would try them. */
export const builtInAlgorithmPolicies: readonly AlgorithmPolicy[] = [
  modernPolicy,
  compatiblePolicy,
  fipsPolicy,
];

/** A list that is left out is that of `modern`. */
export const algorithmPolicyCreate = z.strictObject({
  name: alias,
  description: label.optional(),
  ssh: sshAlgorithms.default(modernSsh),
  tls: tlsAlgorithms.default(modernTls),
});
export type AlgorithmPolicyCreate = z.infer<typeof algorithmPolicyCreate>;

/** A change; the name is fixed, since servers use it. Each group is replaced whole. */
export const algorithmPolicyPatch = z
  .strictObject({ description: label.nullable(), ssh: sshAlgorithms, tls: tlsAlgorithms })
  .partial();
export type AlgorithmPolicyPatch = z.infer<typeof algorithmPolicyPatch>;

/**
 * What the engines cannot do of a policy, or may not, by field.
 *
 * @returns one entry per name with its reason; none: every list can be served as it is
 */
export function unusableAlgorithms({ ssh, tls }: AlgorithmLists): FieldFault[] {
  const faults: FieldFault[] = [];
  const check = (pointer: string, names: readonly string[], known: readonly string[]) => {
    for (const [index, name] of names.entries()) {
      const detail = names.indexOf(name) < index ? `${name} is named twice` : reasonAgainst(name, known);
      if (detail !== undefined) faults.push({ pointer: `${pointer}/${index}`, detail });
    }
  };
  for (const field of ['kex', 'hostKeys', 'clientKeys', 'ciphers', 'macs'] as const) {
    check(`/ssh/${field}`, ssh[field], algorithmCatalogue.ssh[field]);
  }
  check('/tls/suites', tls.suites, algorithmCatalogue.tls.suites);
  check('/tls/groups', tls.groups, algorithmCatalogue.tls.groups);
  check('/tls/signatures', tls.signatures, algorithmCatalogue.tls.signatures);
  const serves = { '1.3': tls.suites.some(isTls13), '1.2': tls.suites.some((suite) => !isTls13(suite)) };
  for (const [index, version] of tls.versions.entries()) {
    const detail =
      tls.versions.indexOf(version) < index
        ? `${version} is named twice`
        : serves[version]
          ? undefined
          : `no suite of the list is for TLS ${version}`;
    if (detail !== undefined) faults.push({ pointer: `/tls/versions/${index}`, detail });
  }
  return faults;
}

/**
 * Can a TLS server with a key of this type serve anybody under these lists? TLS 1.3 has no PKCS #1 signatures (RFC 8446
 * section 4.2.3), before it the suite names the kind of key (RFC 8422).
 */
export function servesTls(key: KeyType, { versions, suites, signatures }: TlsAlgorithms): boolean {
  const schemes = tlsSignatureSchemes[key].filter((name) => signatures.includes(name));
  const exchange = key === 'rsa' ? '_ECDHE_RSA_' : '_ECDHE_ECDSA_';
  return (
    (versions.includes('1.3') && schemes.some((name) => !name.startsWith('rsa_pkcs1_'))) ||
    (versions.includes('1.2') && schemes.length > 0 && suites.some((suite) => suite.includes(exchange)))
  );
}

const isTls13 = (suite: string): boolean => !suite.includes('_WITH_');

function reasonAgainst(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const reason = refusedAlgorithms.find(({ pattern }) => pattern.test(name))?.reason;
  return `${name}: ${reason ?? 'the engine does not have it'}`;
}
