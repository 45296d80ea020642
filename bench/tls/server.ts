/** A running server of files over TLS with one account. */
export interface TlsServer {
  readonly name: 'sallyport' | 'vsftpd' | 'proftpd' | 'nginx';
  readonly scheme: 'ftp' | 'https';
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Folder of the account's files on this machine. */
  readonly folder: string;
  /** The same folder as clients name it: empty, or with a slash at its end. */
  readonly remote: string;
  /** Process that listens; what it costs is what it and its children cost. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** What servers are started with. */
export type TlsStage = {
  /** Folder of this run, on the file system that is measured. */
  readonly folder: string;
  /** Self-signed, P-256, of 127.0.0.1. */
  readonly certificate: string;
  readonly key: string;
  readonly progress: (line: string) => void;
};
