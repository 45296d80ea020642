import { type Bytes, copyOf } from '@sallyport/bytes';
import { contextConstructed, DerReader, oidText, smallInteger, tags } from '../der.ts';
import { oids } from '../oids.ts';
import { refusal } from './reading.ts';

/**
 * The certificates of a PKCS#7 file (RFC 5652 section 5.1), as they stand there. Its signatures are not looked at:
 * such a file is a bag.
 *
 * @throws DerError; FaultError `key-unsupported` for encrypted and other kinds
 */
export function readPkcs7(der: Bytes, most: number): Bytes[] {
  const whole = new DerReader(der);
  const contentInfo = whole.inside(tags.sequence);
  whole.finish();
  const type = oidText(contentInfo.next(tags.oid));
  if (type !== oids.signedData) throw refusal('key-unsupported', `PKCS#7 content ${type}`);
  const explicit = contentInfo.inside(contextConstructed(0));
  contentInfo.finish();
  const fields = explicit.inside(tags.sequence);
  explicit.finish();
  smallInteger(fields.next(tags.integer));
  fields.next(tags.set);
  fields.next(tags.sequence);
  const list = fields.optional(contextConstructed(0));
  if (!list) throw refusal('certificate-malformed', 'there is no certificate in it');
  const certificates = new DerReader(list.content);
  const found: Bytes[] = [];
  while (!certificates.atEnd) {
    const { tag, raw } = certificates.any();
    // Attribute certificates and other formats stand under context tags.
    if (tag !== tags.sequence) continue;
    if (found.length === most) throw refusal('certificate-malformed', `more than ${most} certificates`);
    found.push(copyOf(raw));
  }
  if (found.length === 0) throw refusal('certificate-malformed', 'there is no certificate in it');
  return found;
}
