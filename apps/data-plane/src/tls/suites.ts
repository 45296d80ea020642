import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { TlsAlgorithms } from '@sallyport/model';

type SuiteOptions = Required<
  Pick<
    SecureContextOptions,
    'minVersion' | 'maxVersion' | 'ciphers' | 'ecdhCurve' | 'sigalgs' | 'honorCipherOrder' | 'secureOptions'
  >
>;

/** OpenSSL's name of a suite: TLS 1.3 has one name, before it OpenSSL leaves out half of the words. */
function opensslSuite(name: string): string {
  const [exchange, cipher] = name.replace(/^TLS_/, '').split('_WITH_');
  if (cipher === undefined) return name;
  const words = cipher
    .replace(/_POLY1305_SHA256$/, '_POLY1305')
    .replace(/_CBC_/, '_')
    .replace(/^AES_/, 'AES');
  return `${exchange}_${words}`.replaceAll('_', '-');
}

/**
 * Versions, suites, groups and signatures of an algorithm policy, in the form that `tls.createSecureContext` takes. The policy's
 * order holds, not the client's.
 */
export function suitesOf({ versions, suites, groups, signatures }: TlsAlgorithms): SuiteOptions {
  return {
    minVersion: versions.includes('1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: versions.includes('1.3') ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: suites.map(opensslSuite).join(':'),
    // Each preferred to the next whatever key share the client has sent, which a colon would let win (OpenSSL 3.5).
    ecdhCurve: groups.join('/'),
    // For certificates of servers and of clients alike (RFC 8446 section 4.2.3).
    sigalgs: signatures.join(':'),
    honorCipherOrder: true,
    // Renegotiation would let a client change its certificate after it was judged.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}
