import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

type SuiteOptions = Required<
  Pick<
    SecureContextOptions,
    'minVersion' | 'maxVersion' | 'ciphers' | 'ecdhCurve' | 'honorCipherOrder' | 'secureOptions'
  >
>;

/** TLS 1.3 suites (RFC 8446 appendix B.4), then ECDHE with AEAD for TLS 1.2 (RFC 9325 section 4.2). */
const modernCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** The hybrid with ML-KEM first: whoever records this traffic cannot open it with a later quantum computer. */
const modernGroups = ['X25519MLKEM768', 'X25519', 'P-256', 'P-384'];

/** Versions, suites and groups of an algorithm policy, in the form that `tls.createSecureContext` takes. */
export const suitesOf: Readonly<Record<'modern', SuiteOptions>> = {
  modern: {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: modernCiphers.join(':'),
    ecdhCurve: modernGroups.join(':'),
    honorCipherOrder: true,
    // Renegotiation would let a client change its certificate after it was judged.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
  },
};
