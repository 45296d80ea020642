import { type Bytes, toBase64 } from '@sallyport/bytes';
import type { CertificateRow } from '@sallyport/store';
import type { Dependencies } from '../dependencies.ts';
import { chainFacts } from './chain-facts.ts';
import { newId } from './identifier.ts';
import { privateKeyPurpose } from './stored-certificate.ts';

/** The columns that only some certificates have, as those without them have them. */
export const nothingFurther = {
  validUntil: null,
  privateKey: null,
  comment: null,
  sources: null,
  usage: null,
  caState: null,
  trustedUntil: null,
  revocation: null,
  onStaleCrl: null,
  crlUrl: null,
  sharedKeyWaiver: null,
  revokedAt: null,
} as const satisfies Partial<CertificateRow>;

/** What a new row is made of besides its chain. */
export type RowBasis = Pick<CertificateRow, 'alias' | 'kind'> &
  Partial<
    Pick<
      CertificateRow,
      | 'form'
      | 'zones'
      | 'account'
      | 'match'
      | 'anchor'
      | 'validUntil'
      | 'comment'
      | 'sources'
      | 'usage'
      | 'sharedKeyWaiver'
    >
  >;

/**
 * A row for a certificate that is new here.
 *
 * @param chain DER, leaf first
 * @param privateKey PKCS#8 DER, which is encrypted; absent where it is not kept
 * @param id of the row whose place it takes; left out, a new one
 */
export async function newRow(
  deps: Pick<Dependencies, 'randomBytes' | 'now' | 'keys'>,
  basis: RowBasis,
  chain: readonly Bytes[],
  privateKey?: Bytes,
  id = newId('crt', deps.randomBytes),
): Promise<CertificateRow> {
  return {
    id,
    form: 'x509',
    zones: [],
    account: null,
    match: null,
    anchor: null,
    ...chainFacts(chain.map(toBase64)),
    ...nothingFurther,
    ...basis,
    ...(privateKey ? { privateKey: await deps.keys.wrap(privateKeyPurpose(id), privateKey) } : {}),
    version: 1,
    createdAt: new Date(deps.now()).toISOString(),
  };
}
