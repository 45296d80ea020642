import { refuseField, unwrap } from '@sallyport/faults';
import type { CertificatePatch } from '@sallyport/model';
import type { CertificateRow } from '@sallyport/store';
import { instant } from './read-import.ts';

type Field = keyof CertificatePatch;

/** Which certificates have a field, and what is said of the others. */
const rules: Readonly<Record<Field, (row: CertificateRow) => string | undefined>> = {
  alias: () => undefined,
  comment: () => undefined,
  zones: ({ kind }) => (kind === 'local' ? undefined : 'only a local certificate has zones of its own'),
  sharedKeyWaiver: ({ kind }) => (kind === 'local' ? undefined : 'only a local certificate needs it'),
  validUntil: ({ kind, form }) =>
    kind === 'login' || form === 'ssh-key' ? undefined : 'only a login or an SSH key has an end of its own',
  match: ({ kind, form }) =>
    kind === 'login' && form === 'x509' ? undefined : 'only an X.509 login certificate is matched in ways',
  revocation: forTrusted,
  onStaleCrl: forTrusted,
  crlUrl: forTrusted,
};

/** Nodes are told of what an internal CA revokes one by one: its list is for others. */
function forTrusted({ kind, usage }: CertificateRow): string | undefined {
  return kind === 'trusted' && usage !== 'ssh-ca'
    ? undefined
    : 'only a trusted CA of TLS clients has lists of its own';
}

/**
 * The row with a patch applied; what it may be beside others, `admit` judges.
 *
 * @throws FaultError `certificate-purpose` for a field that a certificate of that kind does not have
 */
export function patchedCertificate(row: CertificateRow, patch: CertificatePatch): CertificateRow {
  for (const field of Object.keys(patch) as Field[]) {
    const detail = patch[field] === undefined ? undefined : rules[field](row);
    if (detail !== undefined) unwrap(refuseField('certificate-purpose', `/${field}`, detail));
  }
  if (patch.match === 'issuer+subject' && row.anchor === 'pinned') {
    unwrap(
      refuseField(
        'certificate-purpose',
        '/match',
        'a pinned certificate matches by certificate or public-key',
      ),
    );
  }
  if (
    patch.alias !== undefined &&
    (row.kind === 'partner' || row.kind === 'private') &&
    patch.alias.length > 50
  ) {
    unwrap(refuseField('invalid-request', '/alias', 'at most 50 characters'));
  }
  const { validUntil, ...rest } = patch;
  const defined = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...row,
    ...(defined as Partial<CertificateRow>),
    ...(validUntil === undefined ? {} : { validUntil: validUntil === null ? null : instant(validUntil) }),
    version: row.version + 1,
  };
}
