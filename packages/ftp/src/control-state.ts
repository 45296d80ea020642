import type { FaultCode, Result } from '@sallyport/faults';
import { type FileAttributes, rootPath, type VirtualPath } from '@sallyport/files';
import { type Fact, knownFacts, type ListingFormat } from './listing.ts';
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
};

/** How far the login of a connection is. */
export type LoginState =
  | { readonly kind: 'none' }
  | { readonly kind: 'named'; readonly user: string }
  | { readonly kind: 'admitted' };

/** All that the engine remembers of one control connection. */
export type ControlState = {
  readonly rules: ControlRules;
  readonly channel: 'clear' | 'encrypted';
  readonly login: LoginState;
  readonly failedLogins: number;
  /** PBSZ was sent: PROT may follow (RFC 4217 section 8). */
  readonly bufferSizeAgreed: boolean;
  readonly protection: 'clear' | 'private';
  readonly directory: VirtualPath;
  readonly type: 'ascii' | 'image';
  /** Offset of the next RETR, by REST. */
  readonly restart: number;
  readonly renameFrom: VirtualPath | undefined;
  /** Whether a data connection is awaited for the next transfer. */
  readonly data: 'none' | 'passive';
  /** EPSV ALL: nothing but EPSV from here on (RFC 2428 section 4). */
  readonly epsvOnly: boolean;
  readonly facts: readonly Fact[];
};

/** The state of a connection that has just been accepted; implicit TLS begins encrypted and protected. */
export const initialState = (rules: ControlRules, channel: ControlState['channel']): ControlState => ({
  rules,
  channel,
  login: { kind: 'none' },
  failedLogins: 0,
  bufferSizeAgreed: false,
  protection: channel === 'encrypted' ? 'private' : 'clear',
  directory: rootPath,
  type: 'ascii',
  restart: 0,
  renameFrom: undefined,
  data: 'none',
  epsvOnly: false,
  facts: knownFacts,
});

/** A transfer over the data connection, and the state of the connection it was asked in. */
export type Transfer = { readonly type: 'ascii' | 'image'; readonly protection: 'clear' | 'private' } & (
  | { readonly kind: 'retrieve'; readonly path: VirtualPath; readonly offset: number }
  | { readonly kind: 'store'; readonly path: VirtualPath }
  | {
      readonly kind: 'list';
      readonly format: ListingFormat;
      readonly path: VirtualPath;
      readonly facts: readonly Fact[];
    }
);

/** A file operation that is answered on the control connection. */
export type FileCommand =
  | { readonly kind: 'enter'; readonly path: VirtualPath }
  | { readonly kind: 'size'; readonly path: VirtualPath }
  | { readonly kind: 'modified'; readonly path: VirtualPath }
  | { readonly kind: 'facts'; readonly path: VirtualPath }
  | { readonly kind: 'make-directory'; readonly path: VirtualPath }
  | { readonly kind: 'remove-directory'; readonly path: VirtualPath }
  | { readonly kind: 'remove-file'; readonly path: VirtualPath }
  | { readonly kind: 'rename-from'; readonly path: VirtualPath }
  | { readonly kind: 'rename'; readonly from: VirtualPath; readonly to: VirtualPath };

/** Attributes where the command reads them. */
export type OperationResult = Result<FileAttributes> | Result<void>;

/** What happens to a control connection. */
export type ControlEvent =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'bad-line'; readonly why: 'too-long' | 'malformed' }
  /** Answers `name` and `password`; `refused` with the fault that may be told. */
  | ({ readonly kind: 'login'; readonly asked: 'name' | 'password' } & (
      | { readonly outcome: 'admitted' | 'continue' }
      | { readonly outcome: 'refused'; readonly fault: FaultCode }
    ))
  /** Answers `secure`: the TLS handshake is done. */
  | { readonly kind: 'secured' }
  /** Answers `listen`. */
  | { readonly kind: 'listening'; readonly endpoint: PassiveEndpoint }
  | { readonly kind: 'not-listening'; readonly why: 'no-port' | 'wrong-family' }
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
  /** Open a port for one data connection, in place of one that is still open. */
  | { readonly kind: 'listen'; readonly form: 'PASV' | 'EPSV'; readonly family: 'any' | 4 | 6 }
  | { readonly kind: 'close-data' }
  /** Run it over the awaited data connection, with its replies; that port is then closed. */
  | { readonly kind: 'transfer'; readonly transfer: Transfer }
  | { readonly kind: 'operate'; readonly command: FileCommand }
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
