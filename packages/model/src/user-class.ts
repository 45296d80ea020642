import { z } from 'zod';
import { alias, cidr, group, id, line } from './scalars.ts';

/** A class of users: the first enabled one that matches is an account's class (reference U1-U7). */
export const userClass = z.strictObject({
  id,
  name: alias,
  enabled: z.boolean(),
  /** Pattern of the login name with `*` and `?`. */
  namePattern: line.min(1).max(255),
  /** A group the account must be in, or `*`. */
  group,
  /** Networks the client must come from; none means any. */
  sources: z.array(cidr).max(100),
});
export type UserClass = z.infer<typeof userClass>;

/** A class as it is written: without an id it is a new one; what is left out matches everybody. */
export const userClassWrite = z.strictObject({
  id: userClass.shape.id.optional(),
  name: userClass.shape.name,
  enabled: userClass.shape.enabled.default(true),
  namePattern: userClass.shape.namePattern.default('*'),
  group: userClass.shape.group.default('*'),
  sources: userClass.shape.sources.default([]),
});

/** The one class that `init` makes: everybody. */
export const everyone: UserClass = {
  id: 'everyone',
  name: 'everyone',
  enabled: true,
  namePattern: '*',
  group: '*',
  sources: [],
};
