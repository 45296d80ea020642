import type { Bytes } from '@sallyport/bytes';
import type { Signer } from '@sallyport/snapshot/publish';
import type { KeyEncryption, Store } from '@sallyport/store';
import type { ChangeFeed } from './change-feed.ts';
import type { ListFetching } from './domain/list-download.ts';

/** Everything the control plane needs of the platform it runs on; nothing else reaches outside. */
export type Dependencies = {
  readonly store: Store;
  readonly keys: KeyEncryption;
  readonly signers: { readonly snapshot: readonly Signer[]; readonly timestamp: readonly Signer[] };
  readonly feed: ChangeFeed;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly randomBytes: (length: number) => Bytes;
  /** Argon2id of a new password, in PHC form. */
  readonly hashPassword: (password: string) => Promise<string>;
  /** Does work that may go on after the answer was sent; its failure must be reported, not thrown. */
  readonly defer: (work: () => Promise<unknown>) => void;
  /** How revocation lists of others are fetched. */
  readonly lists: ListFetching;
  /** Unexpected errors go here, for the operator's log. */
  readonly log: (message: string, error?: unknown) => void;
  /** URL under which nodes reach this control plane, no slash at its end; the request's own origin where it is not set. */
  readonly publicUrl?: string | undefined;
};
