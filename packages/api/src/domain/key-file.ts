import { type Bytes, fromBase64, toBase64, utf8 } from '@sallyport/bytes';
import type { HandOut } from '@sallyport/model';
import { encryptedPkcs8, opensshPrivateKey, pkcs12File, toPem } from '@sallyport/pki';
import type { CertificateRow } from '@sallyport/store';
import { z } from 'zod';

/** A file as the API answers it. */
export const fileAnswer = z.strictObject({
  /** What to call the file. */
  fileName: z.string(),
  /** The file's bytes in base64. */
  data: z.string(),
});
export type FileAnswer = z.infer<typeof fileAnswer>;

/**
 * Writes a private key into a file for people to take away. It costs the time of a key derivation: never under the
 * write lock.
 *
 * @param privateKey PKCS#8 DER
 */
export async function privateKeyFile(
  row: Pick<CertificateRow, 'alias' | 'comment' | 'chain'>,
  privateKey: Bytes,
  form: HandOut,
): Promise<FileAnswer> {
  switch (form.format) {
    case 'pkcs12': {
      const entry = { privateKey, chain: row.chain.map(fromBase64), friendlyName: row.alias };
      return { fileName: `${row.alias}.p12`, data: toBase64(await pkcs12File(entry, form.password)) };
    }
    case 'pem': {
      const pem =
        form.password === undefined
          ? toPem('PRIVATE KEY', privateKey)
          : toPem('ENCRYPTED PRIVATE KEY', await encryptedPkcs8(privateKey, form.password));
      return { fileName: `${row.alias}.key`, data: toBase64(utf8(pem)) };
    }
    case 'openssh': {
      const file = await opensshPrivateKey(privateKey, row.comment ?? row.alias, form.password);
      return { fileName: row.alias, data: toBase64(utf8(file)) };
    }
  }
}
