import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { type Bytes, fromBase64 } from '@sallyport/bytes';
import { FaultError } from '@sallyport/faults';
import type { ItemReport } from '@sallyport/model';
import { parseCertificate } from '@sallyport/pki';
import type { ServerRecord, SnapshotReader } from '@sallyport/snapshot/node';
import { trustView } from './trust-view.ts';
import type { CrlRule, Identity, RunningServer, ZoneView } from './zone-view.ts';

/** A snapshot as the adapters read it, and what became of each of its servers. */
export type BuiltView = {
  readonly view: ZoneView;
  /** One report per server: `nack` where a key is missing or does not fit. */
  readonly items: readonly ItemReport[];
  /** Ids of servers whose listener stays as it was; the new policy holds for them too. */
  readonly quarantined: ReadonlySet<string>;
};

/** Builds the view of a verified snapshot for this node: its overrides applied, its private keys put to their certificates. */
export function buildView(reader: SnapshotReader): BuiltView {
  const keys = new Map(
    reader.envelope.privateKeys.map(({ certificate, pkcs8 }) => [certificate, fromBase64(pkcs8)]),
  );
  const items: ItemReport[] = [];
  const quarantined = new Set<string>();
  const servers: RunningServer[] = [];
  for (const record of reader.servers) {
    const running = withOverrides(record, reader);
    if (!running) continue;
    const item = `server:${record.server.name}`;
    const identities = record.server.state === 'suspended' ? [] : identitiesOf(record, keys);
    if ('fault' in identities) {
      items.push({ item, result: 'nack', fault: identities.fault, detail: identities.detail });
      quarantined.add(record.server.id);
      servers.push({ ...running, identities: [] });
    } else {
      items.push({ item, result: 'ack' });
      servers.push({ ...running, identities });
    }
  }
  return { view: viewOf(reader, servers), items, quarantined };
}

function withOverrides(
  record: ServerRecord,
  reader: SnapshotReader,
): Omit<RunningServer, 'identities'> | undefined {
  const override = reader.envelope.overrides.find((candidate) => candidate.server === record.server.id);
  if (override?.run === false) return undefined;
  return {
    server: {
      ...record.server,
      host: override?.host ?? record.server.host,
      port: override?.port ?? record.server.port,
    },
    algorithms: record.algorithms,
    ...(override?.passiveAddress === undefined ? {} : { passiveAddress: override.passiveAddress }),
    ...(override?.passiveRange === undefined ? {} : { passiveRange: override.passiveRange }),
  };
}

type KeyFault = { fault: 'item-key-missing' | 'item-key-mismatch'; detail: string };

function identitiesOf(record: ServerRecord, keys: ReadonlyMap<string, Bytes>): Identity[] | KeyFault {
  const identities: Identity[] = [];
  for (const id of record.server.certificates) {
    const served = record.served.find((candidate) => candidate.id === id);
    const privateKey = keys.get(id);
    if (!served || !privateKey) return { fault: 'item-key-missing', detail: `certificate ${id}` };
    const chain = served.chain.map(fromBase64);
    if (!fits(chain[0] as Bytes, privateKey))
      return { fault: 'item-key-mismatch', detail: `certificate ${id}` };
    const { ocsp } = served;
    identities.push({
      id,
      chain,
      privateKey,
      keyType: served.key.type,
      ...(ocsp ? { ocsp: { response: fromBase64(ocsp.response), endsAt: Date.parse(ocsp.nextUpdate) } } : {}),
    });
  }
  return identities;
}

function fits(certificate: Bytes, pkcs8: Bytes): boolean {
  try {
    const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const own = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' }).equals(own);
  } catch {
    return false;
  }
}

function viewOf(reader: SnapshotReader, servers: readonly RunningServer[]): ZoneView {
  const revokedCertificates = new Set(reader.revocation.revoked.map((entry) => entry.sha256));
  const revokedKeys = new Set(reader.revocation.revoked.map((entry) => entry.spkiSha256));
  const revokedSshCertificates = new Set(
    reader.revocation.sshCertificates.map(({ caFingerprint, serial }) => `${caFingerprint} ${serial}`),
  );
  return {
    zone: reader.manifest.zone,
    version: reader.manifest.version,
    servers,
    policy: reader.policy,
    trust: trustView(reader.trust),
    crlRules: reader.revocation.rules.flatMap((rule) => crlRuleOf(rule, reader)),
    isRevoked: ({ sha256, spkiSha256 }) => revokedCertificates.has(sha256) || revokedKeys.has(spkiSha256),
    isSshCertificateRevoked: ({ caFingerprint, serial }) =>
      revokedSshCertificates.has(`${caFingerprint} ${serial}`),
    async accountNamed(name) {
      return orThrow(await reader.account(name));
    },
    async registrationsOf(lookup) {
      return orThrow(await reader.registrations(lookup));
    },
  };
}

/** A CA that does not read vouches for nobody: there is nothing to check. */
function crlRuleOf(
  { ca: id, onStaleCrl, list }: SnapshotReader['revocation']['rules'][number],
  { trust, revokedSerials }: SnapshotReader,
): CrlRule[] {
  const trusted = trust.cas.find((ca) => ca.id === id);
  const parsed = trusted && parseCertificate(fromBase64(trusted.der));
  if (!parsed?.ok) return [];
  const serials = revokedSerials.get(id);
  return [
    {
      id,
      ca: parsed.value,
      onStaleCrl,
      ...(list && serials
        ? { list: { number: list.number, nextUpdate: new Date(list.nextUpdate), serials } }
        : {}),
    },
  ];
}

/** A section that was good when it was applied and is not any more is damage, not a refusal. */
function orThrow<T>(result: { ok: true; value: T } | { ok: false; fault: FaultError['fault'] }): T {
  if (result.ok) return result.value;
  throw new FaultError(result.fault);
}
