import type { LoginSettings, SslEntry, UserClass, Zone } from '@sallyport/model';

/** The policy documents that hold everywhere unless a zone has its own. */
export type GlobalPolicy = {
  readonly loginSettings: LoginSettings;
  readonly userClasses: readonly UserClass[];
  readonly sslEntries: readonly SslEntry[];
};

/** The policy of one zone, as its nodes run it. */
export type EffectivePolicy = GlobalPolicy & {
  readonly onInvalidCertificate: Zone['onInvalidCertificate'];
};

/** The global documents, each replaced whole where the zone overrides it (design section 4). */
export const effectivePolicy = (
  global: GlobalPolicy,
  zone: Pick<Zone, 'overrides' | 'onInvalidCertificate'>,
): EffectivePolicy => ({
  loginSettings: zone.overrides.loginSettings ?? global.loginSettings,
  userClasses: zone.overrides.userClasses ?? global.userClasses,
  sslEntries: zone.overrides.sslEntries ?? global.sslEntries,
  onInvalidCertificate: zone.onInvalidCertificate,
});

/** `P` of design section 4: is a password required for an account of this class? */
export function passwordRule(
  settings: LoginSettings,
  userClass: UserClass | undefined,
): 'optional' | 'required' {
  switch (settings.password) {
    case 'optional':
      return 'optional';
    case 'required':
      return 'required';
    case 'required-for-classes':
      return userClass && settings.passwordClasses.includes(userClass.id) ? 'required' : 'optional';
  }
}
