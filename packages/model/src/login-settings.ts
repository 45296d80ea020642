import { z } from 'zod';
import { id } from './scalars.ts';

/** When a login needs a password, and which classes need more (design section 3; reference L1, L2). */
export const loginSettings = z.strictObject({
  password: z.enum(['optional', 'required', 'required-for-classes']),
  /** Ids of classes; used with `required-for-classes`. */
  passwordClasses: z.array(id).max(200),
  /** Ids of classes that always need a registered credential. */
  certificateClasses: z.array(id).max(200),
  /** How login names are compared (reference L7). */
  nameCase: z.enum(['lower', 'exact']),
});
export type LoginSettings = z.infer<typeof loginSettings>;

/** What `init` writes. */
export const defaultLoginSettings: LoginSettings = {
  password: 'optional',
  passwordClasses: [],
  certificateClasses: [],
  nameCase: 'lower',
};

export const loginSettingsPatch = loginSettings.partial();

/** The name under which a login name is stored and looked up. */
export const normalizedName = (name: string, nameCase: LoginSettings['nameCase']): string => {
  const composed = name.normalize('NFC');
  return nameCase === 'lower' ? composed.toLowerCase() : composed;
};
