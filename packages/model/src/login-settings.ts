import { z } from 'zod';
import { defaultLockoutSettings, lockoutSettings } from './lockout.ts';
import { id } from './scalars.ts';

const classes = z.array(id).max(200);

const settings = {
  password: z.enum(['optional', 'required', 'required-for-classes']),
  /** Ids of classes; used with `required-for-classes`. */
  passwordClasses: classes,
  /** Ids of classes that always need a registered credential. */
  certificateClasses: classes,
  /** How login names are compared (reference L7). */
  nameCase: z.enum(['lower', 'exact']),
};

/** When a login needs a password, and which classes need more (design section 3; reference L1, L2). */
export const loginSettings = z.strictObject({
  ...settings,
  /** Ids of classes that always need a second factor; an account that has one needs it after its password anyway. */
  secondFactorClasses: classes.default([]),
  lockout: lockoutSettings.prefault({}),
});
export type LoginSettings = z.infer<typeof loginSettings>;

/** What `init` writes. */
export const defaultLoginSettings: LoginSettings = {
  password: 'optional',
  passwordClasses: [],
  certificateClasses: [],
  nameCase: 'lower',
  secondFactorClasses: [],
  lockout: defaultLockoutSettings,
};

/** `lockout` is replaced whole. */
export const loginSettingsPatch = z
  .strictObject({ ...settings, secondFactorClasses: classes, lockout: lockoutSettings })
  .partial();

/** The name under which a login name is stored and looked up. */
export const normalizedName = (name: string, nameCase: LoginSettings['nameCase']): string => {
  const composed = name.normalize('NFC');
  return nameCase === 'lower' ? composed.toLowerCase() : composed;
};
