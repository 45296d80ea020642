import type { ClientCertificateMode } from '@sallyport/model';

/** A kind of proof that a login can bring. Password and keyboard-interactive are one. */
export type ProofKind = 'password' | 'credential' | 'second-factor';

/** Proofs that together admit a login. */
export type ProofSet = readonly ProofKind[];

/** The three columns of design section 4, and what is asked of a second factor. */
export type EntryRule = {
  readonly clientCertificate: ClientCertificateMode;
  readonly password: 'optional' | 'required';
  /** SSH only; other protocols pass `default`. */
  readonly clientPassword: 'default' | 'disabled';
  /** `with-password`: it follows a password and no credential. `always`: no login without it. */
  readonly secondFactor: 'none' | 'with-password' | 'always';
};

const table: Readonly<
  Record<ClientCertificateMode, Readonly<Record<EntryRule['password'], readonly ProofSet[]>>>
> = {
  disabled: { optional: [['password']], required: [['password']] },
  optional: { optional: [['credential'], ['password']], required: [['password']] },
  required: { optional: [['credential']], required: [['credential', 'password']] },
};

/**
 * The smallest proof sets that admit a login under a rule (design section 4, one row of the table).
 * A superset of a set admits too. No set at all: nobody can log in, which publish refuses.
 */
export function proofSets(rule: EntryRule): readonly ProofSet[] {
  const contradictory =
    rule.clientCertificate === 'required' &&
    rule.password === 'required' &&
    rule.clientPassword === 'disabled';
  const sets = contradictory ? [] : table[rule.clientCertificate][rule.password];
  const needsFactor = (set: ProofSet): boolean =>
    rule.secondFactor === 'always' || (rule.secondFactor === 'with-password' && set.includes('password'));
  return sets.map((set) => (needsFactor(set) ? [...set, 'second-factor'] : set));
}
