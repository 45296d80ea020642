import { type Bytes, sha256Hex } from '@sallyport/bytes';
import {
  createCa,
  generateKeyPair,
  type Issuer,
  issueCertificate,
  trustAnchors,
  verifyClient,
} from '@sallyport/pki';

const day = 86_400_000;
const validity = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) });

async function caBelow(issuer: Issuer, commonName: string, pathLength: number): Promise<Issuer> {
  const pair = await generateKeyPair('ecdsa-p256');
  const content = { subject: { commonName }, sans: [], purpose: 'ca', pathLength, ...validity() } as const;
  const certificate = await issueCertificate({ issuer, spki: pair.spki, ...content });
  return { certificate, privateKey: pair.privateKey };
}

/** Verifies a client's certificate below two intermediates that often, with the cache of nobody; milliseconds each. */
export async function verifyChains(count: number): Promise<number[]> {
  const root = await createCa({ commonName: 'Root', keyType: 'ecdsa-p256', pathLength: 2, ...validity() });
  const upper = await caBelow(root, 'Upper', 1);
  const lower = await caBelow(upper, 'Lower', 0);
  const { spki } = await generateKeyPair('ecdsa-p256');
  const content = {
    subject: { commonName: 'partner' },
    sans: [],
    purpose: 'tls-client',
    ...validity(),
  } as const;
  const leaf = await issueCertificate({ issuer: lower, spki, ...content });
  const cas = trustAnchors([root.certificate]);
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const started = performance.now();
    const verdict = await verifyClient(verification([leaf, lower.certificate, upper.certificate], cas));
    times.push(performance.now() - started);
    if (verdict.kind !== 'accepted') throw new Error(verdict.detail);
  }
  return times;
}

const verification = (presented: readonly Bytes[], cas: ReturnType<typeof trustAnchors>) => ({
  presented,
  cas,
  now: new Date(),
  isRevoked: () => false,
  registrations: async ({ by }: { readonly by: string }) =>
    by === 'certificate'
      ? [
          {
            account: 'partner',
            accountName: 'partner',
            certificate: 'crt',
            form: 'x509' as const,
            match: 'certificate' as const,
            anchor: 'path' as const,
            sha256: sha256Hex(presented[0] as Bytes),
          },
        ]
      : [],
});
