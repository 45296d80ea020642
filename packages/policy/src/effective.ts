import {
  type LoginSettings,
  normalizedName,
  type SslEntry,
  type UserClass,
  type Zone,
} from '@sallyport/model';

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

/**
 * The global documents, each replaced whole where the zone overrides it (design section 4). Name patterns come out as
 * login names are compared, so that `ACME-*` catches the accounts that are stored as `acme-…`.
 */
export function effectivePolicy(
  global: GlobalPolicy,
  zone: Pick<Zone, 'overrides' | 'onInvalidCertificate'>,
): EffectivePolicy {
  const loginSettings = zone.overrides.loginSettings ?? global.loginSettings;
  const userClasses = zone.overrides.userClasses ?? global.userClasses;
  return {
    loginSettings,
    userClasses: userClasses.map((userClass) => ({
      ...userClass,
      namePattern: normalizedName(userClass.namePattern, loginSettings.nameCase),
    })),
    sslEntries: zone.overrides.sslEntries ?? global.sslEntries,
    onInvalidCertificate: zone.onInvalidCertificate,
  };
}

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
