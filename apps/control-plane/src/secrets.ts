import { fromBase64 } from '@sallyport/bytes';
import { jwkSigner, type Signer } from '@sallyport/snapshot';
import { type KeyEncryption, keyEncryption } from '@sallyport/store';
import { z } from 'zod';

const privateJwk = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() }));

/** Secrets that the platform holds for the control plane: printed once by `sallyport init`, never in the database. */
export const platformSecrets = z.object({
  /** 32 bytes in base64. */
  SALLYPORT_KEY_ENCRYPTION_KEY: z.base64().length(44),
  SALLYPORT_SNAPSHOT_KEY: privateJwk,
  SALLYPORT_TIMESTAMP_KEY: privateJwk,
});

/** Where the control plane keeps its data, and what it may be told of its place. */
export const platformSettings = z.object({
  SALLYPORT_DATABASE_URL: z.string().min(1),
  SALLYPORT_DATABASE_TOKEN: z.string().optional(),
  /** URL under which nodes and operators reach this control plane, with the path that a proxy puts before ours. */
  SALLYPORT_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  /** May revocation lists be fetched from loopback and private addresses? They may not, unless this says so. */
  SALLYPORT_CRL_INNER_ADDRESSES: z.enum(['refused', 'allowed']).optional(),
});
export type PlatformSettings = z.output<typeof platformSettings>;

/** Every variable of the environment that the control plane reads. */
export const variableNames: readonly string[] = [
  ...Object.keys(platformSettings.shape),
  ...Object.keys(platformSecrets.shape),
];

export type LoadedSecrets = {
  readonly keys: KeyEncryption;
  readonly signers: { readonly snapshot: readonly Signer[]; readonly timestamp: readonly Signer[] };
};

/** Random bytes of the platform's own generator, the same in every runtime. */
export const randomBytes = (length: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(length));

/**
 * Reads the secrets from the platform's environment. Throws Error that names the variable and never its value.
 */
export async function loadSecrets(environment: Record<string, unknown>): Promise<LoadedSecrets> {
  const parsed = platformSecrets.safeParse(environment);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))].join(', ');
    throw new Error(`missing or malformed secret: ${names}; sallyport init prints them`);
  }
  const secrets = parsed.data;
  return {
    keys: await keyEncryption(fromBase64(secrets.SALLYPORT_KEY_ENCRYPTION_KEY), randomBytes),
    signers: {
      snapshot: [await jwkSigner(secrets.SALLYPORT_SNAPSHOT_KEY)],
      timestamp: [await jwkSigner(secrets.SALLYPORT_TIMESTAMP_KEY)],
    },
  };
}

/** Reads the settings; throws Error that names what is missing. */
export function loadSettings(environment: Record<string, unknown>): PlatformSettings {
  const parsed = platformSettings.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw new Error(
    `missing or malformed setting: ${parsed.error.issues.map((issue) => String(issue.path[0])).join(', ')}`,
  );
}
