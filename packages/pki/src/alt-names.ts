// The library's decorators need it before anything of theirs is evaluated.
import 'reflect-metadata';
import { type Extension, SubjectAlternativeNameExtension } from '@peculiar/x509';
import { FaultError } from '@sallyport/faults';
import type { SubjectAltName } from '@sallyport/model';

const libraryTypes = { dns: 'dns', ip: 'ip', email: 'email', uri: 'url' } as const;

/**
 * The extension of subject alternative names (RFC 5280 section 4.2.1.6); none for an empty list.
 *
 * @throws FaultError `invalid-request` for a name that is not printable ASCII: its form on the wire is the
 *   A-label or the percent-encoding
 */
export function altNames(sans: readonly SubjectAltName[]): Extension[] {
  if (sans.length === 0) return [];
  for (const { type, value } of sans) {
    if (!/^[\u0021-\u007e]+$/.test(value)) {
      throw new FaultError({
        code: 'invalid-request',
        detail: `alternative name of type ${type} is not ASCII`,
      });
    }
  }
  return [
    new SubjectAlternativeNameExtension(sans.map(({ type, value }) => ({ type: libraryTypes[type], value }))),
  ];
}
