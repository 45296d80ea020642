import { createPrivateKey, sign } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bytes, copyOf, fromBase64 } from '@sallyport/bytes';
import { alias, base64, id } from '@sallyport/model';
import { z } from 'zod';
import { readIfThere, writeAtomic } from '../atomic-file.ts';

/** Who this node is; the private keys never leave the machine. */
export const identityFile = z.strictObject({
  node: id,
  name: alias,
  zone: id,
  /** URL of the control plane, without a trailing slash. */
  controlPlane: z.url(),
  /** Ed25519, PKCS#8 DER. */
  signingKey: base64,
  /** X25519, raw. */
  sealingKey: base64,
});
export type IdentityFile = z.infer<typeof identityFile>;

/** A node's identity, ready to sign and to open envelopes. */
export type NodeIdentity = {
  readonly node: string;
  readonly name: string;
  readonly zone: string;
  readonly controlPlane: string;
  readonly sign: (bytes: Bytes) => Promise<Bytes>;
  readonly sealingPrivateKey: Bytes;
};

/** Where a node keeps what it knows, below its home folder. */
export const nodePaths = (home: string) => ({
  identity: join(home, 'identity.json'),
  /** Keys of a join under way. */
  joining: join(home, 'joining.json'),
  root: join(home, 'root.json'),
  current: join(home, 'snapshot', 'current.json'),
  blobs: join(home, 'snapshot', 'blobs'),
  denyList: join(home, 'snapshot', 'deny-list.json'),
  spool: join(home, 'spool'),
  files: join(home, 'files'),
});
export type NodePaths = ReturnType<typeof nodePaths>;

/** Makes the node's folders, mode 0700. */
export async function makeNodeHome(home: string): Promise<NodePaths> {
  const paths = nodePaths(home);
  for (const folder of [home, paths.blobs, paths.spool, paths.files]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  return paths;
}

export const saveIdentity = (paths: NodePaths, identity: IdentityFile): Promise<void> =>
  writeAtomic(paths.identity, `${JSON.stringify(identity, null, 2)}\n`);

/** Reads the identity; nothing where this home has not joined. Throws Error where the file is damaged. */
export async function loadIdentity(paths: NodePaths): Promise<NodeIdentity | undefined> {
  const bytes = await readIfThere(paths.identity);
  if (!bytes) return undefined;
  const parsed = identityFile.safeParse(JSON.parse(bytes.toString('utf8')));
  if (!parsed.success) throw new Error(`${paths.identity} is damaged; join again with a new join token`);
  const file = parsed.data;
  const key = createPrivateKey({
    key: Buffer.from(fromBase64(file.signingKey)),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    node: file.node,
    name: file.name,
    zone: file.zone,
    controlPlane: file.controlPlane,
    sign: async (bytes) => copyOf(sign(null, bytes, key)),
    sealingPrivateKey: fromBase64(file.sealingKey),
  };
}
