import { z } from 'zod';
import { publicKey } from './certificate.ts';
import { cidr, id, line, text, time } from './scalars.ts';

/** Extensions of user certificates that OpenSSH knows; a file transfer needs none of them. */
export const sshCertificateExtensions = [
  'permit-X11-forwarding',
  'permit-agent-forwarding',
  'permit-port-forwarding',
  'permit-pty',
  'permit-user-rc',
] as const;

/** An OpenSSH certificate that an internal CA signed (PROTOCOL.certkeys of OpenSSH). */
export const sshCertificate = z.strictObject({
  id,
  /** Internal CA that signed it; it may be gone since. */
  certificateAuthority: id,
  /** OpenSSH fingerprint of that CA's key. */
  caFingerprint: z.string(),
  type: z.enum(['user', 'host']),
  /** Decimal. */
  serial: z.string(),
  keyId: z.string(),
  principals: z.array(z.string()),
  validAfter: time,
  validBefore: time,
  key: publicKey,
  status: z.enum(['valid', 'not-yet-valid', 'expired', 'revoked']),
  revokedAt: time.optional(),
  createdAt: time,
});
export type SshCertificateView = z.infer<typeof sshCertificate>;

/** No comma, which separates principals, and nothing that ends a line. */
const principal = line
  .min(1)
  .max(256)
  .regex(/^[^,]*$/, 'no comma');

const seconds = 366 * 86_400;

const common = {
  /** One line of an OpenSSH public key file. */
  publicKey: text.min(1).max(16_384),
  /** Login names or host names. */
  principals: z.array(principal).min(1).max(256),
  /** What logs call the holder. */
  keyId: principal,
  /** Seconds; a certificate lives short where it can. */
  validFor: z.int().min(60).max(seconds).default(86_400),
};

export const sshCertificateCreate = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('user'),
    ...common,
    criticalOptions: z
      .strictObject({
        /** Networks that the holder may come from. */
        'source-address': z.array(cidr).min(1).max(100).optional(),
        'force-command': line.min(1).max(1_024).optional(),
      })
      .default({}),
    extensions: z.array(z.enum(sshCertificateExtensions)).max(5).default([]),
  }),
  z.strictObject({ type: z.literal('host'), ...common }),
]);
export type SshCertificateCreate = z.infer<typeof sshCertificateCreate>;
