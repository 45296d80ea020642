import type { FaultCode, Result } from '@sallyport/faults';
import { type FileAttributes, rootPath, type VirtualPath } from '@sallyport/files';
import { defaultFacts, type Fact } from './facts.ts';
import type { HashAlgorithm, HashRequest } from './hash.ts';
import type { ListingFormat } from './listing.ts';
import type { NameEncoding } from './name-encoding.ts';
import type { PassiveEndpoint } from './passive.ts';
import type { Reply } from './reply.ts';

/** What a control connection is served under; fixed for its life. */
export type ControlRules = {
  /** `offered`: the connection begins in clear and AUTH TLS secures it. */
  readonly authTls: 'offered' | 'unavailable';
  /** `refused`: USER needs TLS whatever the policy says of the login. */
  readonly clearLogin: 'by-policy' | 'refused';
  /** Logins that may fail before the connection is closed. */
  readonly maxAuthAttempts: number;
  /** How names are written until the client asks for UTF-8 (RFC 2640 section 3). */
  readonly nameEncoding: NameEncoding;
};

/** How far the login of a connection is. */
export type LoginState =
  | { readonly kind: 'none' }
  | { readonly kind: 'named'; readonly user: string }
  /** The password was right and a second factor is asked for: ACCT brings it. */
  | { readonly kind: 'second-factor'; readonly user: string }
  | { readonly kind: 'admitted' };

/** All that the engine remembers of one control connection. */
export type ControlState = {
  readonly rules: ControlRules;
  readonly channel: 'clear' | 'encrypted';
  /** The name that the client asked for in its TLS handshake (SNI), where it asked for one. */
  readonly serverName: string | undefined;
  readonly login: LoginState;
  readonly failedLogins: number;
  /** Lines before the login that were no command. */
  readonly strayLines: number;
  /** USER commands since the last login. */
  readonly names: number;
  /** PBSZ was sent: PROT may follow (RFC 4217 section 8). */
  readonly bufferSizeAgreed: boolean;
  readonly protection: 'clear' | 'private';
  readonly directory: VirtualPath;
  readonly type: 'ascii' | 'image';
  /** Offset of the next RETR or STOR, by REST. */
  readonly restart: number;
  readonly renameFrom: VirtualPath | undefined;
  /** How the data connection of the next transfer comes about, where that is agreed. */
  readonly data: 'none' | 'passive' | 'active';
  /** EPSV ALL: nothing but EPSV from here on (RFC 2428 section 4). */
  readonly epsvOnly: boolean;
  readonly facts: readonly Fact[];
  readonly encoding: NameEncoding;
  /** What HASH uses, by OPTS HASH. */
  readonly hash: HashAlgorithm;
};

/** The state of a connection that has just been accepted; implicit TLS begins encrypted and protected. */
export const initialState = (
  rules: ControlRules,
  channel: ControlState['channel'],
  serverName?: string,
): ControlState => ({
  rules,
  channel,
  serverName,
  login: { kind: 'none' },
  failedLogins: 0,
  strayLines: 0,
  names: 0,
  bufferSizeAgreed: false,
  protection: channel === 'encrypted' ? 'private' : 'clear',
  directory: rootPath,
  type: 'ascii',
  restart: 0,
  renameFrom: undefined,
  data: 'none',
  epsvOnly: false,
  facts: defaultFacts,
  encoding: rules.nameEncoding,
  hash: 'SHA-256',
});

/**
 * Where an upload goes. `unique`: into a new file whose name begins with that of the path.
 * `restart`: from an offset on into what is there: a cut upload of the account, or a file.
 */
export type Placing =
  | { readonly kind: 'replace' | 'append' | 'unique' }
  | { readonly kind: 'restart'; readonly offset: number };

/** A transfer over the data connection, and the state of the connection it was asked in. */
export type Transfer = { readonly type: 'ascii' | 'image'; readonly protection: 'clear' | 'private' } & (
  | { readonly kind: 'retrieve'; readonly path: VirtualPath; readonly offset: number }
  | { readonly kind: 'store'; readonly path: VirtualPath; readonly placing: Placing }
  | {
      readonly kind: 'list';
      readonly format: ListingFormat;
      readonly path: VirtualPath;
      readonly facts: readonly Fact[];
      readonly encoding: NameEncoding;
    }
);

/** A file operation that is answered on the control connection. */
export type FileCommand =
  | { readonly kind: 'enter'; readonly path: VirtualPath }
  | { readonly kind: 'size'; readonly path: VirtualPath }
  | { readonly kind: 'modified'; readonly path: VirtualPath }
  | { readonly kind: 'facts'; readonly path: VirtualPath; readonly facts: readonly Fact[] }
  /** The listing of a path in a reply. */
  | { readonly kind: 'status'; readonly path: VirtualPath }
  | { readonly kind: 'space'; readonly path: VirtualPath }
  | { readonly kind: 'set-mode'; readonly path: VirtualPath; readonly mode: number }
  | { readonly kind: 'set-modified'; readonly path: VirtualPath; readonly modifiedAt: number }
  | { readonly kind: 'make-directory'; readonly path: VirtualPath }
  | { readonly kind: 'remove-directory'; readonly path: VirtualPath }
  | { readonly kind: 'remove-file'; readonly path: VirtualPath }
  | { readonly kind: 'rename-from'; readonly path: VirtualPath }
  | { readonly kind: 'rename'; readonly from: VirtualPath; readonly to: VirtualPath };

/** Attributes, lines or a number of bytes where the command reads them. */
export type OperationResult = Result<FileAttributes | readonly string[] | number | undefined> | Result<void>;

/** What happens to a control connection. */
export type ControlEvent =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'bad-line'; readonly why: 'too-long' | 'malformed' }
  /**
   * Answers `name`, `password` and `second-factor`; `second-factor`: nothing else is missing; `refused` with the fault
   * that may be told.
   */
  | ({ readonly kind: 'login'; readonly asked: 'name' | 'password' | 'second-factor' } & (
      | { readonly outcome: 'admitted' | 'continue' | 'second-factor' }
      | { readonly outcome: 'refused'; readonly fault: FaultCode }
    ))
  /** Answers `secure`: the TLS handshake is done. */
  | { readonly kind: 'secured'; readonly serverName?: string }
  /** Answers `listen`. */
  | { readonly kind: 'listening'; readonly endpoint: PassiveEndpoint }
  | { readonly kind: 'not-listening'; readonly why: 'no-port' }
  /** Answers `aim`: the data connection will go there. */
  | { readonly kind: 'aimed' }
  /** Answers `aim`: that is not where the control connection comes from. */
  | { readonly kind: 'not-aimed' }
  /** Answers `listen` and `aim`: the control connection is of the other protocol (1 is IPv4, 2 is IPv6). */
  | { readonly kind: 'wrong-family'; readonly ours: 1 | 2 }
  /** Answers `hash`: lower case hexadecimal, and where the hashed part ends. */
  | {
      readonly kind: 'hashed';
      readonly request: HashRequest;
      readonly result: Result<{ readonly hex: string; readonly to: number }>;
    }
  /** Answers `operate`; attributes where the operation reads them. */
  | {
      readonly kind: 'operated';
      readonly command: FileCommand;
      readonly result: OperationResult;
    };

/** What the driver has to do, in order. It takes no further line before the answering event, where there is one. */
export type ControlEffect =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** Run the server side of a TLS handshake; whatever else was read in clear is thrown away first. */
  | { readonly kind: 'secure' }
  | { readonly kind: 'name'; readonly user: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'second-factor'; readonly user: string; readonly code: string }
  /** The session of the login ends; the connection goes on as a new one. */
  | { readonly kind: 'log-out' }
  /** Open a port for one data connection, in place of one that is still open. */
  | { readonly kind: 'listen'; readonly form: 'PASV' | 'EPSV'; readonly family: 'any' | 4 | 6 }
  /** The next data connection goes out to that port, if the address is that of the control connection's peer. */
  | { readonly kind: 'aim'; readonly family: 4 | 6; readonly address: string; readonly port: number }
  | { readonly kind: 'close-data' }
  /** Run it over the agreed data connection, with its replies; the agreement is then spent. */
  | { readonly kind: 'transfer'; readonly transfer: Transfer }
  | { readonly kind: 'operate'; readonly command: FileCommand }
  | { readonly kind: 'hash'; readonly request: HashRequest }
  | { readonly kind: 'close' };

/** A state and what to do on the way into it. */
export type Step = { readonly state: ControlState; readonly effects: readonly ControlEffect[] };

/** A step that only answers. */
export const answer = (state: ControlState, given: Reply): Step => ({
  state,
  effects: [{ kind: 'reply', reply: given }],
});

/** Handles one command whose argument rule and login rule are already met. */
export type CommandHandler = (state: ControlState, argument: string) => Step;
