import { type Bytes, toBase64 } from '@sallyport/bytes';
import { ok, type Result, refuse } from '@sallyport/faults';
import {
  type AlgorithmLists,
  type AlgorithmPolicy,
  builtInAlgorithmPolicies,
  type ListenerOverride,
  normalizedName,
  type Server,
  unusableAlgorithms,
  type Zone,
} from '@sallyport/model';
import {
  type EffectivePolicy,
  effectivePolicy,
  entryRule,
  type GlobalPolicy,
  proofSets,
} from '@sallyport/policy';
import { accountIndexKey, credentialIndexKey } from './index-key.ts';
import type {
  AccountRecord,
  CrlRule,
  LoginCredential,
  NodeEnvelope,
  Registration,
  RevocationSection,
  ServedCertificate,
  ServerRecord,
  TrustSection,
} from './payload.ts';
import type { SectionCipher } from './section-cipher.ts';
import type { TreeEntries } from './tree.ts';

/** A local certificate with its chain and the private key that goes to the nodes which serve it. */
export type LocalCertificate = Omit<ServedCertificate, 'chain' | 'ocsp'> & {
  readonly chain: readonly Bytes[];
  readonly ocsp?: { readonly response: Bytes; readonly nextUpdate: string };
  /** PKCS#8 DER; absent where the key is not held. */
  readonly privateKey?: Bytes;
};

/** A login certificate as it is registered. The names are DER, for `issuer+subject`, and empty where it matches otherwise. */
export type RegisteredCertificate = LoginCredential & {
  readonly account: string;
  readonly issuer: Bytes;
  readonly subject: Bytes;
  /** Key of the intermediate CA that signed it, where it was brought with it. */
  readonly issuerSpkiSha256?: string;
};

/** Serial numbers of a list, packed: read only where a zone does not have them yet. */
export type CrlChunk = { readonly sha256: string; load(): Promise<Bytes> };

/** A CA and the list that its certificates are checked against. */
export type CrlRuleContent = Omit<CrlRule, 'list'> & {
  readonly list?: Omit<NonNullable<CrlRule['list']>, 'chunks'> & { readonly chunks: readonly CrlChunk[] };
};

/** All that a zone's snapshot is made of, read at one change sequence. */
export type ZoneContent = {
  readonly zone: Zone;
  readonly policy: GlobalPolicy;
  readonly servers: readonly Server[];
  /** Custom ones; the built-in ones are known. */
  readonly algorithmPolicies: readonly AlgorithmPolicy[];
  readonly locals: readonly LocalCertificate[];
  /** Accounts of this zone; `credentials` is filled in from `registered`. */
  readonly accounts: readonly Omit<AccountRecord, 'credentials'>[];
  readonly registered: readonly RegisteredCertificate[];
  readonly cas: readonly {
    readonly id: string;
    readonly der: Bytes;
    readonly advertise: boolean;
    readonly trustedUntil?: string;
  }[];
  /** CAs of OpenSSH certificates, by their SSH key blobs. */
  readonly sshCas: readonly {
    readonly id: string;
    readonly key: Bytes;
    readonly trustedUntil?: string;
    readonly sources?: string[];
  }[];
  readonly revoked: RevocationSection['revoked'];
  /** CAs of `cas` whose certificates are checked against a list. */
  readonly crlRules: readonly CrlRuleContent[];
  readonly revokedSshCertificates: RevocationSection['sshCertificates'];
  /** Active nodes of the zone, with their raw X25519 keys. */
  readonly nodes: readonly {
    readonly id: string;
    readonly sealingKey: Bytes;
    readonly overrides: readonly ListenerOverride[];
  }[];
};

/** A snapshot before it is encrypted: one value per section, entries per tree, one envelope per node. */
export type CompiledSnapshot = {
  readonly servers: { readonly servers: readonly ServerRecord[] };
  readonly policy: EffectivePolicy;
  readonly trust: TrustSection;
  readonly revocation: Pick<RevocationSection, 'revoked' | 'sshCertificates'> & {
    readonly rules: readonly CrlRuleContent[];
  };
  readonly accounts: TreeEntries;
  readonly credentials: TreeEntries;
  readonly nodes: readonly {
    readonly id: string;
    readonly sealingKey: Bytes;
    readonly content: Omit<NodeEnvelope, 'contentKey'>;
  }[];
};

/**
 * Compiles a zone: resolves policy, joins servers with certificates and accounts with credentials, and picks for
 * each node the private keys of the servers it runs and of nothing else. Pure.
 *
 * @param cipher gives the leaf keys of the zone's current key epoch
 * @returns the sections; `policy-refused` where rules would admit nobody, two accounts share a login name, or a server
 *   names an algorithm policy that there is not or that the engines cannot do
 */
export function compile(content: ZoneContent, cipher: SectionCipher): Result<CompiledSnapshot> {
  const policy = effectivePolicy(content.policy, content.zone);
  for (const server of content.servers) {
    const checked = checkAdmits(server, policy);
    if (!checked.ok) return checked;
  }
  const named = checkNames(content.accounts, policy);
  if (!named.ok) return named;
  const locals = new Map(content.locals.map((local) => [local.id, local]));
  const servers: ServerRecord[] = [];
  for (const server of content.servers) {
    const algorithms = algorithmsOf(server, content.algorithmPolicies);
    if (!algorithms.ok) return algorithms;
    servers.push({
      server,
      algorithms: algorithms.value,
      served: server.certificates.flatMap((id) => {
        const local = locals.get(id);
        return local ? [served(local)] : [];
      }),
    });
  }

  return ok({
    servers: { servers },
    policy,
    trust: {
      cas: content.cas.map(({ der, ...ca }) => ({ ...ca, der: toBase64(der) })),
      sshCas: content.sshCas.map(({ key, ...ca }) => ({ ...ca, key: toBase64(key) })),
    },
    revocation: {
      revoked: content.revoked,
      sshCertificates: content.revokedSshCertificates,
      rules: content.crlRules,
    },
    accounts: accountEntries(content, policy, cipher),
    credentials: credentialEntries(content, cipher),
    nodes: content.nodes.map(({ id, sealingKey, overrides }) => ({
      id,
      sealingKey,
      content: { overrides: [...overrides], privateKeys: privateKeys(content.servers, overrides, locals) },
    })),
  });
}

/**
 * The lists of a server's algorithm policy, in the policy's order.
 *
 * @param custom policies beside the built-in ones, whose names win
 */
function algorithmsOf(server: Server, custom: readonly AlgorithmPolicy[]): Result<AlgorithmLists> {
  const policy = [...builtInAlgorithmPolicies, ...custom].find(({ name }) => name === server.algorithmPolicy);
  if (!policy) {
    return refuse(
      'policy-refused',
      `server ${server.name}: there is no algorithm policy ${server.algorithmPolicy}`,
    );
  }
  const [unusable] = unusableAlgorithms(policy);
  return unusable
    ? refuse('policy-refused', `algorithm policy ${policy.name}, ${unusable.pointer}: ${unusable.detail}`)
    : ok({ ssh: policy.ssh, tls: policy.tls });
}

/**
 * A server whose rules admit nobody, or nobody of an enabled class, is refused before it is published (design section
 * 4, last row). A class that requires a certificate where the server requests none is no contradiction of the server:
 * its logins are refused one by one.
 */
export function checkAdmits(server: Server, policy: EffectivePolicy): Result<void> {
  if (server.protocol !== 'ssh') return ok(undefined);
  for (const userClass of [undefined, ...policy.userClasses.filter((entry) => entry.enabled)]) {
    const rule = entryRule(server, policy, userClass, { secondFactor: 'none' });
    if (rule === 'certificate-required-not-requested' || proofSets(rule).length > 0) continue;
    const whom = userClass ? `of class ${userClass.name} ` : '';
    return refuse(
      'policy-refused',
      `server ${server.name}: a required client certificate, clientPassword disabled and a required password admit nobody ${whom}`.trimEnd(),
    );
  }
  return ok(undefined);
}

/** Two accounts that the zone cannot tell apart by their names would be one login with two passwords. */
function checkNames(accounts: ZoneContent['accounts'], policy: EffectivePolicy): Result<void> {
  const seen = new Map<string, string>();
  for (const { name } of accounts) {
    const normalized = normalizedName(name, policy.loginSettings.nameCase);
    const before = seen.get(normalized);
    if (before !== undefined) {
      return refuse('policy-refused', `accounts ${before} and ${name} have one login name in this zone`);
    }
    seen.set(normalized, name);
  }
  return ok(undefined);
}

const served = (local: LocalCertificate): ServedCertificate => ({
  id: local.id,
  form: local.form,
  key: local.key,
  chain: local.chain.map(toBase64),
  ...(local.ocsp
    ? { ocsp: { response: toBase64(local.ocsp.response), nextUpdate: local.ocsp.nextUpdate } }
    : {}),
});

function privateKeys(
  servers: readonly Server[],
  overrides: readonly ListenerOverride[],
  locals: ReadonlyMap<string, LocalCertificate>,
): NodeEnvelope['privateKeys'] {
  const notRun = new Set(
    overrides.filter((override) => override.run === false).map((override) => override.server),
  );
  const needed = new Set(
    servers
      .filter((server) => server.state !== 'suspended' && !notRun.has(server.id))
      .flatMap((server) => server.certificates),
  );
  return [...needed].flatMap((certificate) => {
    const key = locals.get(certificate)?.privateKey;
    return key ? [{ certificate, pkcs8: toBase64(key) }] : [];
  });
}

function accountEntries(content: ZoneContent, policy: EffectivePolicy, cipher: SectionCipher): TreeEntries {
  const byAccount = Map.groupBy(content.registered, (certificate) => certificate.account);
  return new Map(
    content.accounts.map((account) => [
      accountIndexKey(cipher, normalizedName(account.name, policy.loginSettings.nameCase)),
      {
        ...account,
        credentials: (byAccount.get(account.id) ?? []).map(loginCredentialOf),
      } satisfies AccountRecord,
    ]),
  );
}

const loginCredentialOf = ({
  account: _account,
  issuer: _issuer,
  subject: _subject,
  issuerSpkiSha256: _issuerSpkiSha256,
  ...credential
}: RegisteredCertificate): LoginCredential => credential;

function credentialEntries(content: ZoneContent, cipher: SectionCipher): TreeEntries {
  const names = new Map(content.accounts.map((account) => [account.id, account.name]));
  const entries = new Map<string, Registration[]>();
  for (const certificate of content.registered) {
    const accountName = names.get(certificate.account);
    if (accountName === undefined) continue;
    const key = credentialIndexKey(cipher, credentialKeyOf(certificate));
    const registration: Registration = {
      account: certificate.account,
      accountName,
      certificate: certificate.certificate,
      form: certificate.form,
      match: certificate.match,
      anchor: certificate.anchor,
      sha256: certificate.sha256,
      ...(certificate.issuerSpkiSha256 === undefined
        ? {}
        : { issuerSpkiSha256: certificate.issuerSpkiSha256 }),
      ...(certificate.validUntil === undefined ? {} : { validUntil: certificate.validUntil }),
    };
    entries.set(key, [...(entries.get(key) ?? []), registration]);
  }
  return entries;
}

function credentialKeyOf(certificate: RegisteredCertificate): Parameters<typeof credentialIndexKey>[1] {
  switch (certificate.match) {
    case 'certificate':
      return { by: 'certificate', sha256: certificate.sha256 };
    case 'public-key':
      return { by: 'public-key', spkiSha256: certificate.spkiSha256 };
    case 'issuer+subject':
      return { by: 'issuer+subject', issuer: certificate.issuer, subject: certificate.subject };
  }
}
