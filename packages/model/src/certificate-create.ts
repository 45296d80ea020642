import { z } from 'zod';
import { certificateMatch, credentialAnchor } from './account.ts';
import { subjectAltName } from './certificate.ts';
import { alias, id, label, text, time } from './scalars.ts';
import { generatedKeyTypes, subjectName } from './subject-name.ts';

/** Alias of a certificate that an account stores (reference F2); unique on the account. */
export const storedAlias = alias.max(50, 'at most 50 characters');

/** Protects a private key in a file; it is not stored. */
export const filePassword = text.min(8).max(1_024);

/** In what file a private key is handed out: this once where it is not kept. */
export const handOut = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('pkcs12'), password: filePassword }),
  /** PKCS#8, encrypted where there is a password, with the certificate's chain behind it. */
  z.strictObject({ format: z.literal('pem'), password: filePassword.optional() }),
  z.strictObject({ format: z.literal('openssh'), password: filePassword.optional() }),
]);
export type HandOut = z.infer<typeof handOut>;

/** Who signs a TLS certificate that is made here. An SSH key gets the wrapping issuer's signature and no choice. */
export const issuances = ['internal-ca', 'self-signed'] as const;

/** Why one private key may stand in an edge zone and in an internal one. */
export const sharedKeyWaiver = label.min(10, 'say why, in 10 characters at least');

const zones = z.array(id).min(1).max(100);
const generated = {
  source: z.literal('generate'),
  issuance: z.enum(issuances).optional(),
  /** Default: `ecdsa-p256` for TLS, `ed25519` for SSH. */
  keyType: z.enum(generatedKeyTypes).optional(),
  /** `ssh`: a key in its wrapper, which no TLS peer accepts. */
  purpose: z.enum(['tls', 'ssh']).default('tls'),
  /** Default: the alias as common name. */
  subject: subjectName.optional(),
  sans: z.array(subjectAltName).max(100).default([]),
};
/** Default: 397 for TLS; an SSH key has no end of its own. */
const validDays = z.int().min(1).max(3_650).optional();

const generate = z.discriminatedUnion('kind', [
  z.strictObject({
    ...generated,
    /** A server's key. TLS needs a SAN: clients look at nothing else (reference W38). */
    kind: z.literal('local'),
    alias,
    zones,
    validDays: z.int().min(1).max(825).optional(),
    sharedKeyWaiver: sharedKeyWaiver.optional(),
  }),
  z.strictObject({
    ...generated,
    /** A partner's credential; self-signed, it is pinned on the account. */
    kind: z.literal('login'),
    alias,
    account: id,
    match: certificateMatch.optional(),
    validDays,
    handOut,
  }),
  z.strictObject({
    ...generated,
    /** A partner's key to encrypt to and to verify by. */
    kind: z.literal('partner'),
    alias: storedAlias,
    account: id,
    validDays,
    handOut,
  }),
  z.strictObject({
    ...generated,
    /** The account's own key for other places: it is kept here too. */
    kind: z.literal('private'),
    alias: storedAlias,
    account: id,
    validDays,
    handOut: handOut.optional(),
  }),
]);

/** A key or certificate in whatever form it comes, told by its bytes (reference F14-F18, W8); exactly one of the two. */
export const keyFile = {
  /** The file's bytes in base64, at most 1 MiB of them. */
  data: z.base64().min(4).max(1_398_104).optional(),
  /** The same as text, pasted: PEM, a key line, RFC 4716, PuTTY. */
  text: text.min(1).max(65_536).optional(),
  /** Opens an encrypted file; never stored. */
  password: text.max(1_024).optional(),
  /** Name of one entry of a file with several, as the refusal listed them. */
  choice: text.max(200).optional(),
};
const imported = { source: z.literal('import'), ...keyFile };

const importing = z.discriminatedUnion('kind', [
  /** A server's own key, with its chain or, for SSH, without. */
  z.strictObject({
    ...imported,
    kind: z.literal('local'),
    alias,
    zones,
    sharedKeyWaiver: sharedKeyWaiver.optional(),
  }),
  /** A CA whose client certificates are accepted, or the key of a CA of SSH users. */
  z.strictObject({ ...imported, kind: z.literal('trusted'), alias }),
  /** A partner's certificate, trusted through its chain or pinned on the account alone, or his SSH key. */
  z.strictObject({
    ...imported,
    kind: z.literal('login'),
    alias,
    account: id,
    match: certificateMatch.optional(),
    anchor: credentialAnchor.optional(),
    validUntil: time.optional(),
  }),
  z.strictObject({ ...imported, kind: z.literal('partner'), alias: storedAlias, account: id }),
  z.strictObject({ ...imported, kind: z.literal('private'), alias: storedAlias, account: id }),
]);

/** How a certificate comes to be: made here or brought; each kind says all that it needs and nothing else. */
export const certificateCreate = z.discriminatedUnion('source', [generate, importing]);
export type CertificateCreate = z.infer<typeof certificateCreate>;
export type CertificateGenerate = z.infer<typeof generate>;
export type CertificateImport = z.infer<typeof importing>;

/** SSH keys of one account or of several, taken together or not at all. */
export const certificateBulk = z
  .strictObject({
    /** A whole authorized_keys file for one account; aliases are made from `aliasPrefix` and a number. */
    authorizedKeys: z.strictObject({
      account: id,
      aliasPrefix: alias.max(70),
      text: text.min(1).max(1_048_576),
    }),
    imports: z
      .array(
        z.strictObject({
          alias,
          account: id,
          /** One authorized_keys line, RFC 4716 file or PEM. */
          text: text.min(1).max(16_384),
          validUntil: time.optional(),
        }),
      )
      .min(1)
      .max(1_000),
  })
  .partial();
export type CertificateBulk = z.infer<typeof certificateBulk>;
