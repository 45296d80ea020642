import {
  accountLimits,
  algorithmLists,
  base64,
  certificateForms,
  certificateMatch,
  cidr,
  credentialAnchor,
  ftpServer,
  httpServer,
  id,
  listenerOverride,
  loginSettings,
  pathPermission,
  publicKey,
  sha256,
  sshServer,
  sslEntry,
  staleCrlBehaviours,
  time,
  totp,
  userClass,
  zone,
} from '@sallyport/model';
import { z } from 'zod';
import { blobRef } from './documents.ts';

/** A certificate that a server presents: leaf first, each DER in base64. */
export const servedCertificate = z.strictObject({
  id,
  chain: z.array(base64).min(1).max(10),
  form: z.enum(certificateForms),
  key: publicKey,
  /** A good OCSP response of its issuer (RFC 6960), to be stapled until its end. */
  ocsp: z.strictObject({ response: base64, nextUpdate: time }).optional(),
});
export type ServedCertificate = z.infer<typeof servedCertificate>;

/** A server of the zone with the public side of its certificates and the lists of its algorithm policy. */
export const serverRecord = z.strictObject({
  server: z.discriminatedUnion('protocol', [sshServer, ftpServer, httpServer]),
  algorithms: algorithmLists,
  served: z.array(servedCertificate).max(8),
});
export type ServerRecord = z.infer<typeof serverRecord>;

export const serversSection = z.strictObject({ servers: z.array(serverRecord).max(1_000) });

/** Effective policy of the zone. */
export const policySection = z.strictObject({
  loginSettings,
  userClasses: z.array(userClass),
  sslEntries: z.array(sslEntry),
  onInvalidCertificate: zone.shape.onInvalidCertificate,
});

/** When a CA that was retired stops to vouch; the node's clock holds it to that. */
const trustedUntil = time.optional();

/** CAs that are trusted: those whose client certificates are judged, and those whose OpenSSH certificates are. */
export const trustSection = z.strictObject({
  cas: z.array(z.strictObject({ id, der: base64, advertise: z.boolean(), trustedUntil })).max(1_000),
  /** `key`: SSH key blob. `sources`: networks that its certificates may log in from; absent: anywhere. */
  sshCas: z
    .array(z.strictObject({ id, key: base64, trustedUntil, sources: z.array(cidr).max(100).optional() }))
    .max(1_000),
});
export type TrustSection = z.infer<typeof trustSection>;

/** A CA of the zone whose certificates are checked against its revocation list. */
export const crlRule = z.strictObject({
  /** Id of the CA in `trust`. */
  ca: id,
  onStaleCrl: z.enum(staleCrlBehaviours),
  /** Absent: there never was one. */
  list: z
    .strictObject({
      /** CRL number in decimal. */
      number: z.string().regex(/^\d{1,52}$/),
      thisUpdate: time,
      nextUpdate: time,
      entries: z.int().min(0).max(500_000),
      /** Blobs that hold the serial numbers (`packSerials`), encrypted as this section is. */
      chunks: z.array(blobRef).max(1_024),
    })
    .optional(),
});
export type CrlRule = z.infer<typeof crlRule>;

/**
 * Certificates that are never accepted again, by their own digest and by their key's, and the lists of CAs. The serial
 * numbers of a list are blobs of their own, which this section names by digest: another revocation does not send them
 * again, and a list that grows by a few sends a few of them.
 */
export const revocationSection = z.strictObject({
  revoked: z.array(z.strictObject({ sha256, spkiSha256: sha256, at: time })).max(100_000),
  /** OpenSSH certificates, by the fingerprint of their CA's key and their serial number in decimal. */
  sshCertificates: z.array(z.strictObject({ caFingerprint: z.string(), serial: z.string() })).max(100_000),
  rules: z.array(crlRule).max(1_000),
});
export type RevocationSection = z.infer<typeof revocationSection>;

/** A login certificate of an account, as the node needs it. */
export const loginCredential = z.strictObject({
  certificate: id,
  form: z.enum(certificateForms),
  match: certificateMatch,
  anchor: credentialAnchor,
  sha256,
  spkiSha256: sha256,
  validUntil: time.optional(),
  /** Networks that an SSH key may log in from; absent: anywhere. */
  sources: z.array(cidr).max(100).optional(),
  /** CAs whose lists would name this X.509 certificate, and by what: its key must not log in over SSH after that. */
  listedBy: z
    .strictObject({ cas: z.array(id).min(1).max(16), serial: z.string().regex(/^(?:[0-9a-f]{2}){1,21}$/) })
    .optional(),
});
export type LoginCredential = z.infer<typeof loginCredential>;

/** An account of the zone; leaf value of the `accounts` tree. */
export const accountRecord = z.strictObject({
  id,
  name: z.string(),
  groups: z.array(z.string()),
  home: z.string(),
  enabled: z.boolean(),
  locked: z.boolean(),
  /** Argon2id in PHC form; absent: no password. */
  passwordHash: z.string().optional(),
  /** Absent: no second factor. */
  secondFactor: totp.optional(),
  credentials: z.array(loginCredential),
  permissions: z.array(pathPermission),
  limits: accountLimits,
  uploadMode: z.enum(['staged', 'direct']),
});
export type AccountRecord = z.infer<typeof accountRecord>;

/** Who a credential is registered on; leaf value of the `credentials` tree. */
export const registrationList = z.array(
  z.strictObject({
    account: id,
    accountName: z.string(),
    certificate: id,
    form: z.enum(certificateForms),
    match: certificateMatch,
    anchor: credentialAnchor,
    sha256,
    /** Key of the intermediate CA below which an `issuer+subject` is meant. */
    issuerSpkiSha256: sha256.optional(),
    validUntil: time.optional(),
  }),
);
export type Registration = z.infer<typeof registrationList>[number];

/** What one node alone may read: leaf value of the `nodes` tree, inside its HPKE envelope. */
export const nodeEnvelope = z.strictObject({
  overrides: z.array(listenerOverride),
  contentKey: base64,
  privateKeys: z.array(z.strictObject({ certificate: id, pkcs8: base64 })),
});
export type NodeEnvelope = z.infer<typeof nodeEnvelope>;
