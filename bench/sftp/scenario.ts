import type { Measure } from '../rows.ts';
import type { SftpServer } from './server.ts';

/** What all scenarios find prepared. */
export type Ground = {
  readonly folder: string;
  /** The large file on the client's side, and in every server's folder under the name `large`. */
  readonly largeFile: string;
  readonly largeBytes: number;
  /** A file for slow lines, likewise; `medium` in every folder. */
  readonly mediumFile: string;
  readonly mediumBytes: number;
  /** A folder of 1,000 files of 1 KiB, and in every server's folder under the name `small`. */
  readonly smallFolder: string;
};

/** Something that is done with each server in each round, and the numbers that it gives by name of the measure. */
export type Scenario = {
  readonly id: string;
  readonly measures: readonly Measure[];
  /** Servers beside ours that take part. */
  readonly peers: 'all' | 'openssh' | 'none';
  readonly run: (server: SftpServer, ground: Ground) => Promise<Readonly<Record<string, number>>>;
};
