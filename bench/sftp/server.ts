/** A running SFTP server with one account that logs in by key. */
export interface SftpServer {
  readonly name: 'sallyport' | 'openssh' | 'proftpd';
  readonly port: number;
  readonly user: string;
  /** File of the account's private key. */
  readonly key: string;
  readonly knownHosts: string;
  /** Folder of the account's files on this machine. */
  readonly folder: string;
  /** The same folder as clients name it, with a slash at its end. */
  readonly remote: string;
  /** Process that listens; what it costs is what it and its children cost. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** What servers are started with. */
export type Stage = {
  /** Folder of this run, on the file system that is measured. */
  readonly folder: string;
  readonly clientKey: string;
  readonly hostKey: string;
  /** OpenSSH lines of the public keys, without comment. */
  readonly clientPublicKey: string;
  readonly hostPublicKey: string;
  readonly progress: (line: string) => void;
};
