import { toBase64 } from '@sallyport/bytes';
import { FaultError, unwrap } from '@sallyport/faults';
import { defaultLoginSettings, encryptionRequiredForAll, everyone, explicitScopes } from '@sallyport/model';
import { createCa, type Issuer } from '@sallyport/pki';
import { rootFingerprint } from '@sallyport/snapshot';
import {
  appendAudit,
  type CertificateRow,
  certificatesWithoutFacts,
  findInstallation,
  insertCertificate,
  insertInstallation,
  insertPolicyDocument,
  insertRoot,
  insertToken,
  type KeyEncryption,
  type Queries,
  type Store,
  updateCertificate,
} from '@sallyport/store';
import type { Dependencies } from './dependencies.ts';
import { nothingFurther } from './domain/certificate-row.ts';
import { chainFacts } from './domain/chain-facts.ts';
import { newId } from './domain/identifier.ts';
import { wrappingIssuerPurpose } from './domain/issuers.ts';
import { privateKeyPurpose } from './domain/zone-content.ts';
import { makeToken } from './routes/tokens.ts';

const yearMs = 365 * 86_400_000;

/** What a new installation starts with besides its empty tables. */
export type Initialised = {
  /** First API token, with every scope; answered this once. */
  readonly apiToken: string;
  /** SHA-256 of the root metadata: what join tokens carry and an operator compares. */
  readonly rootFingerprint: string;
};

/**
 * Fills a migrated, empty database: counters, global policy, internal CA, wrapping issuer, root metadata and the first
 * token, all in one transaction (design section 3).
 *
 * @param root signed root metadata; its keys stay with the caller, who is not the control plane
 * @returns the first token's secret; throws FaultError `in-use` where the database is initialised already
 */
export async function initialise(
  deps: Pick<Dependencies, 'randomBytes' | 'now'> & { readonly store: Store; readonly keys: KeyEncryption },
  root: { readonly version: number; readonly trustEpoch: number; readonly envelope: string },
): Promise<Initialised> {
  const now = deps.now();
  const createdAt = new Date(now).toISOString();
  const lasting = (years: number) => ({ notBefore: new Date(now), notAfter: new Date(now + years * yearMs) });
  const internalCa = await createCa({
    commonName: 'Sallyport internal CA',
    keyType: 'ecdsa-p256',
    ...lasting(10),
  });
  const wrappingIssuer = await createCa({
    commonName: 'Sallyport SSH key wrapping',
    keyType: 'ecdsa-p256',
    ...lasting(30),
  });
  const caRow = await internalCaRow(deps, internalCa, createdAt);
  const { row: token, secret } = makeToken(deps, {
    label: 'first token',
    scopes: ['*:*', ...explicitScopes],
    zones: '*',
    validDays: 90,
  });

  const wrappingIssuerKey = await deps.keys.wrap(wrappingIssuerPurpose, wrappingIssuer.privateKey);
  await deps.store.record(async (queries) => {
    if (await findInstallation(queries)) {
      throw new FaultError({ code: 'in-use', detail: 'the database is initialised already' });
    }
    await insertInstallation(queries, {
      createdAt,
      wrappingIssuer: toBase64(wrappingIssuer.certificate),
      wrappingIssuerKey,
    });
    await insertPolicyDocument(queries, 'login-settings', defaultLoginSettings);
    await insertPolicyDocument(queries, 'user-classes', [everyone]);
    await insertPolicyDocument(queries, 'ssl-entries', [encryptionRequiredForAll]);
    await insertCertificate(queries, caRow);
    await insertRoot(queries, root);
    await insertToken(queries, token);
    const detail = { rootVersion: root.version, internalCa: caRow.sha256, token: token.id };
    await appendAudit(queries, [
      { at: createdAt, actor: 'init', action: 'init', target: 'installation', detail },
    ]);
  });
  return { apiToken: secret, rootFingerprint: unwrap(rootFingerprint(root.envelope)) };
}

async function internalCaRow(
  deps: Pick<Dependencies, 'randomBytes'> & { readonly keys: KeyEncryption },
  ca: Issuer,
  createdAt: string,
): Promise<CertificateRow> {
  const id = newId('crt', deps.randomBytes);
  return {
    id,
    alias: 'internal-ca',
    kind: 'internal-ca',
    form: 'x509',
    zones: [],
    account: null,
    match: null,
    anchor: null,
    ...chainFacts([toBase64(ca.certificate)]),
    ...nothingFurther,
    privateKey: await deps.keys.wrap(privateKeyPurpose(id), ca.privateKey),
    caState: 'active',
    version: 1,
    createdAt,
  };
}

/**
 * Fills the searchable columns of certificates that were stored before there were any.
 *
 * @returns how many there were
 */
export async function fillChainFacts(queries: Queries): Promise<number> {
  const rows = await certificatesWithoutFacts(queries);
  for (const row of rows) await updateCertificate(queries, { ...row, ...chainFacts(row.chain) }, row.version);
  return rows.length;
}
