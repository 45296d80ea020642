/** What a fault means to whoever meets it; one row is all the knowledge there is about a code. */
export type FaultRow = {
  /** HTTP status of the REST API and of the HTTPS data plane. */
  readonly http: number;
  /** SFTP v3 status code (draft-ietf-secsh-filexfer-02 section 7). */
  readonly sftp: number;
  /** FTP reply code (RFC 959 section 4.2). */
  readonly ftp: number;
  /** Whether the same request may succeed later without a change by the caller. */
  readonly retry: 'never' | 'later';
  /** The generic sentence for the wire. */
  readonly text: string;
};

const row = (http: number, sftp: number, ftp: number, retry: FaultRow['retry'], text: string): FaultRow => ({
  http,
  sftp,
  ftp,
  retry,
  text,
});

const noFile = 2;
const denied = 3;
const failure = 4;
const badMessage = 5;
const unsupported = 8;

/** The closed table of fault codes. A code that is not here does not compile. */
export const faults = {
  // Requests
  'malformed-json': row(400, badMessage, 501, 'never', 'The body is not valid JSON.'),
  'invalid-request': row(422, badMessage, 501, 'never', 'The request does not fit the schema.'),
  'unsupported-media-type': row(415, unsupported, 504, 'never', 'Send application/json.'),
  'body-too-large': row(413, failure, 552, 'never', 'The body is larger than this route takes.'),
  'not-found': row(404, noFile, 550, 'never', 'There is no such resource.'),
  'method-not-allowed': row(405, unsupported, 502, 'never', 'This resource does not take that method.'),
  'alias-in-use': row(409, failure, 550, 'never', 'That name is already in use.'),
  'confirmation-required': row(
    409,
    failure,
    550,
    'never',
    'This stops what usedBy lists; confirm the count.',
  ),
  'in-use': row(409, failure, 550, 'never', 'Something still uses this; see usedBy.'),
  'deny-list-full': row(409, failure, 550, 'later', 'The deny list of the zone takes no more entries.'),
  'precondition-required': row(428, failure, 503, 'never', 'Send If-Match with the ETag you read.'),
  'precondition-failed': row(412, failure, 503, 'never', 'The resource has changed since you read it.'),
  'schema-mismatch': row(
    503,
    failure,
    421,
    'later',
    'The database schema does not fit; run sallyport migrate.',
  ),
  'database-busy': row(503, failure, 421, 'later', 'The database is busy; try again.'),
  internal: row(500, failure, 451, 'later', 'Something went wrong on our side.'),
  // Callers of the API
  unauthenticated: row(401, denied, 530, 'never', 'Send a valid bearer token.'),
  forbidden: row(403, denied, 550, 'never', 'The token does not cover this.'),
  'token-scope-exceeded': row(403, denied, 550, 'never', 'A token mints only a subset of itself.'),
  // Keys and certificates
  'certificate-malformed': row(422, badMessage, 501, 'never', 'This is not a certificate we can read.'),
  'key-malformed': row(422, badMessage, 501, 'never', 'This is not a key we can read.'),
  'key-unsupported': row(422, unsupported, 504, 'never', 'This kind of key is not accepted.'),
  'key-revoked': row(422, denied, 550, 'never', 'This key was revoked and is never accepted again.'),
  'key-option-unsupported': row(
    422,
    unsupported,
    504,
    'never',
    'An option of this key line is not supported.',
  ),
  'key-mismatch': row(422, badMessage, 501, 'never', 'The certificate does not belong to that key.'),
  'key-password-required': row(422, badMessage, 501, 'never', 'This is encrypted; send its password.'),
  'key-password-wrong': row(422, badMessage, 501, 'never', 'The password does not open this.'),
  'key-too-costly': row(422, unsupported, 504, 'never', 'The password protection costs more than we spend.'),
  'key-material-unrecognised': row(422, badMessage, 501, 'never', 'This is no key or certificate we know.'),
  'import-choice-required': row(409, badMessage, 501, 'never', 'The file holds several keys; name one.'),
  'already-registered': row(409, failure, 550, 'never', 'This key or certificate is registered already.'),
  'crl-malformed': row(422, badMessage, 501, 'never', 'This is not a revocation list we can read.'),
  'crl-unsupported': row(422, unsupported, 504, 'never', 'This kind of revocation list is not accepted.'),
  'crl-outdated': row(422, denied, 550, 'never', 'The revocation list is older than the one in force.'),
  'ocsp-unusable': row(422, badMessage, 501, 'never', 'The answer of the OCSP responder cannot be used.'),
  'crl-unreachable': row(502, failure, 451, 'later', 'The revocation list could not be fetched.'),
  'csr-malformed': row(422, badMessage, 501, 'never', 'This is not a certificate request we can read.'),
  'certificate-purpose': row(422, badMessage, 501, 'never', 'This certificate cannot be used for that.'),
  // Policy
  'policy-refused': row(422, denied, 550, 'never', 'This combination of rules would be refused at publish.'),
  // Nodes
  'join-token-invalid': row(403, denied, 530, 'never', 'The join token is not valid.'),
  'join-token-expired': row(403, denied, 530, 'never', 'The join token has expired; create a new one.'),
  'join-token-spent': row(403, denied, 530, 'never', 'The join token was used by another node.'),
  'join-proof-invalid': row(
    403,
    denied,
    530,
    'never',
    'The join request is not proved by its token and key.',
  ),
  'root-mismatch': row(403, denied, 530, 'never', 'The root fingerprint is not the one the token names.'),
  'node-signature-invalid': row(401, denied, 530, 'never', 'The request is not signed by an active node.'),
  'node-clock-skew': row(401, denied, 530, 'later', 'The request time is more than 120 s away from ours.'),
  'node-replayed': row(409, denied, 530, 'never', 'That report was already delivered.'),
  'node-pending': row(403, denied, 530, 'later', 'The node waits for approval.'),
  'snapshot-unpublished': row(503, failure, 421, 'later', 'The zone has no published snapshot yet.'),
  // Snapshots, in the order of verification (design section 5)
  'snapshot-oversize': row(502, failure, 451, 'never', 'The document is larger than its bound.'),
  'snapshot-envelope': row(502, failure, 451, 'never', 'The document is not a signed envelope.'),
  'snapshot-signer': row(502, failure, 451, 'never', 'The document is not signed by the current keys.'),
  'snapshot-malformed': row(502, failure, 451, 'never', 'The signed document does not parse.'),
  'snapshot-schema': row(502, failure, 451, 'never', 'The signed document has another schema.'),
  'snapshot-zone': row(502, failure, 451, 'never', 'The signed document is for another zone.'),
  'snapshot-rollback': row(502, failure, 451, 'never', 'The signed document is older than the applied one.'),
  'snapshot-equivocation': row(502, failure, 451, 'never', 'The same version came with other bytes.'),
  'snapshot-jump': row(502, failure, 451, 'never', 'The version jumps further than the bound.'),
  'snapshot-expired': row(502, failure, 451, 'later', 'The timestamp has expired.'),
  'snapshot-mix': row(502, failure, 451, 'later', 'Manifest and timestamp do not belong together.'),
  'section-missing': row(502, failure, 451, 'later', 'A section of the snapshot is missing.'),
  'section-oversize': row(502, failure, 451, 'never', 'A section is larger than its bound.'),
  'section-digest': row(502, failure, 451, 'never', 'A section does not have its digest.'),
  'section-undecryptable': row(502, failure, 451, 'never', 'A section does not decrypt.'),
  'section-malformed': row(502, failure, 451, 'never', 'A section does not parse.'),
  'envelope-missing': row(502, failure, 451, 'later', 'The snapshot holds no envelope for this node.'),
  'envelope-undecryptable': row(
    502,
    failure,
    451,
    'never',
    'The envelope does not open with this node’s key.',
  ),
  'root-signer': row(502, failure, 451, 'never', 'The root is not signed by the old and the new root keys.'),
  'root-rollback': row(502, failure, 451, 'never', 'The root is older than the pinned one.'),
  // Items of a snapshot
  'item-key-missing': row(
    502,
    failure,
    451,
    'never',
    'The private key of an assigned certificate is missing.',
  ),
  'item-key-mismatch': row(
    502,
    failure,
    451,
    'never',
    'An assigned private key does not fit its certificate.',
  ),
  'item-engine-refused': row(502, failure, 451, 'never', 'The engine cannot run this server.'),
  'item-port-in-use': row(502, failure, 421, 'later', 'The port of a server is in use.'),
  // Logins: the wire never says more than these
  'login-refused': row(401, denied, 530, 'never', 'Login incorrect.'),
  'tls-required': row(403, denied, 530, 'never', 'TLS is required; send AUTH TLS first.'),
  'certificate-required': row(403, denied, 421, 'never', 'A client certificate is required.'),
  'service-refusing': row(503, failure, 421, 'later', 'The service is not available.'),
  // Files
  'file-not-found': row(404, noFile, 550, 'never', 'No such file or directory.'),
  'file-exists': row(409, failure, 550, 'never', 'The file already exists.'),
  'not-a-directory': row(409, failure, 550, 'never', 'Not a directory.'),
  'is-a-directory': row(409, failure, 550, 'never', 'Is a directory.'),
  'directory-not-empty': row(409, failure, 550, 'never', 'The directory is not empty.'),
  'permission-denied': row(403, denied, 550, 'never', 'Permission denied.'),
  'path-invalid': row(400, noFile, 553, 'never', 'The path is not valid.'),
  'storage-full': row(507, failure, 452, 'later', 'There is no space left.'),
  'storage-failed': row(500, failure, 451, 'later', 'The storage failed.'),
  'handle-invalid': row(400, failure, 503, 'never', 'The handle is not valid.'),
  'handle-limit': row(429, failure, 450, 'later', 'Too many open files.'),
  'operation-unsupported': row(501, unsupported, 502, 'never', 'This operation is not supported.'),
  'message-malformed': row(400, badMessage, 501, 'never', 'The message is malformed.'),
  // HTTP alone
  'connection-taken': row(421, denied, 530, 'later', 'This connection is in use by another login.'),
  'forgery-suspected': row(403, denied, 550, 'never', 'The request does not come from our own page.'),
  'resource-locked': row(423, failure, 450, 'later', 'Somebody has locked this.'),
  'destination-elsewhere': row(502, failure, 553, 'never', 'The destination is on another server.'),
  'transfer-cut': row(400, failure, 426, 'later', 'The transfer was cut; the file was not stored.'),
} as const satisfies Record<string, FaultRow>;

/** A code of the table. */
export type FaultCode = keyof typeof faults;

/** One field that is wrong, as a JSON pointer into the request, and why. */
export type FieldFault = { readonly pointer: string; readonly detail: string };

/** An expected refusal: a value, never a secret in it. */
export type Fault = {
  readonly code: FaultCode;
  /** The exact reason, for the audit log and, on the REST API, for the caller. */
  readonly detail?: string;
  readonly fields?: readonly FieldFault[];
  /** What stands in the way for `in-use`, what would stop for `confirmation-required`. */
  readonly usedBy?: readonly string[];
};

/** A value or the refusal in its place. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** The value, as a Result. */
export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

/** A refusal, as a Result. */
export const refuse = (
  code: FaultCode,
  detail?: string,
  more?: Omit<Fault, 'code' | 'detail'>,
): Result<never> => ({
  ok: false,
  fault: { code, ...(detail === undefined ? {} : { detail }), ...more },
});

/** A refusal that names one field of the request, as a JSON pointer. */
export const refuseField = (code: FaultCode, pointer: string, detail: string): Result<never> =>
  refuse(code, detail, { fields: [{ pointer, detail }] });

/** A fault that unwinds: for refusals met deep inside a transaction or a stream, caught at the edge by code. */
export class FaultError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.detail ?? faults[fault.code].text, options);
    this.name = 'FaultError';
    this.fault = fault;
  }
}

/** The value of a Result; throws FaultError in place of a refusal. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FaultError(result.fault);
}
