import type { Measured } from '../measure.ts';
import type { Goal } from '../rows.ts';
import type { TlsServer } from './server.ts';

/** What all scenarios find prepared. */
export type TlsGround = {
  readonly folder: string;
  /** The large file on the client's side, and in every server's folder under the name `large`. */
  readonly largeFile: string;
  readonly largeBytes: number;
  /** A folder of 1,000 files of 1 KiB, and in every server's folder under the name `small`. */
  readonly smallFolder: string;
};

/** A scenario once the ground is known; `peers` are named where not all can take part. */
export type TlsScenario = {
  readonly peers?: readonly TlsServer['name'][];
  readonly of: (ground: TlsGround) => Measured<TlsServer>;
  readonly id: string;
};

export const atLeast = (ratio: number): Goal => ({ of: 'ratio', atLeast: ratio });
export const atMost = (ratio: number): Goal => ({ of: 'ratio', atMost: ratio });
