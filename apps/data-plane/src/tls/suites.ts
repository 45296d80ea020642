import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { TlsAlgorithms } from '@sallyport/model';

type SuiteOptions = Required<
  Pick<
    SecureContextOptions,
    'minVersion' | 'maxVersion' | 'ciphers' | 'ecdhCurve' | 'honorCipherOrder' | 'secureOptions'
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
 * Versions, suites and groups of an algorithm policy, in the form that `tls.createSecureContext` takes. The policy's
 * order holds, not the client's.
 */
export function suitesOf({ versions, suites, groups }: TlsAlgorithms): SuiteOptions {
  return {
    minVersion: versions.includes('1.2') ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: versions.includes('1.3') ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: suites.map(opensslSuite).join(':'),
    ecdhCurve: groups.join(':'),
    honorCipherOrder: true,
    // Renegotiation would let a client change its certificate after it was judged.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}
