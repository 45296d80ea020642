import type { StaleCrlBehaviour } from '@sallyport/model';
import type { ParsedCertificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import type { IssuedCheck } from './judge-certificate.ts';
import type { SerialSet } from './serial-set.ts';

/** A CA whose certificates are checked against its revocation list. */
export type RevocationRule = {
  /** Its name and key: a list is that of a key, for two CAs may share a name. */
  readonly ca: Pick<ParsedCertificate, 'subject' | 'subjectDer' | 'key'>;
  readonly onStaleCrl: StaleCrlBehaviour;
  /** The newest good list; absent: there never was one. */
  readonly list?: RevocationList | undefined;
};

/** What is kept of a verified list. */
export type RevocationList = {
  /** CRL number in decimal. */
  readonly number: string;
  readonly nextUpdate: Date;
  readonly serials: SerialSet;
};

/** Is there no list that still holds at that time? Written so that a date that is none is stale. */
export const isStale = ({ list }: Pick<RevocationRule, 'list'>, now: Date): boolean =>
  !list || !(now <= list.nextUpdate);

/**
 * The check of every certificate of a path against the list of the CA that signed it. A CA of which no rule speaks is
 * not checked. Where several rules name one key (a CA that renewed its certificate), a number on any of their lists is
 * revoked, one fresh list is enough, and the strictest rule counts where there is none.
 *
 * @param now the judge's own clock
 */
export function revocationCheck(rules: readonly RevocationRule[], now: Date): IssuedCheck {
  const byKey = Map.groupBy(rules, ({ ca }) => ca.key.spkiSha256);
  return (issuer, { serial, subject }) => {
    const own = (byKey.get(issuer.key.spkiSha256) ?? []).filter(({ ca }) =>
      sameBytes(ca.subjectDer, issuer.subjectDer),
    );
    const naming = own.find(({ list }) => list?.serials.has(serial));
    if (naming) {
      const detail = `${subject}, by list ${naming.list?.number} of ${issuer.subject}`;
      return { reason: 'revoked', detail };
    }
    const mustBeFresh = own.some(({ onStaleCrl }) => onStaleCrl === 'reject');
    if (!mustBeFresh || own.some((rule) => !isStale(rule, now))) return undefined;
    const ended = own.find(({ list }) => list)?.list?.nextUpdate.toISOString();
    return {
      reason: 'crl-stale',
      detail: ended === undefined ? `no list of ${issuer.subject}` : `${issuer.subject} since ${ended}`,
    };
  };
}
