import { z } from 'zod';
import { alias, cidr, host, id, port, time } from './scalars.ts';

export const serverProtocols = ['ssh', 'ftp', 'http'] as const;
export type ServerProtocol = (typeof serverProtocols)[number];

export const clientCertificateModes = ['disabled', 'optional', 'required'] as const;
export type ClientCertificateMode = (typeof clientCertificateModes)[number];

/** `suspended` closes the listener; `draining` lets running transfers finish and admits nobody (reference D6, G1). */
export const serverStates = ['running', 'draining', 'suspended'] as const;
export type ServerState = (typeof serverStates)[number];

export const limits = z.strictObject({
  maxConnections: z.int().min(1).max(100_000).default(10_000),
  maxConnectionsPerAddress: z.int().min(1).max(100_000).default(1_000),
  /** New connections that one address may open in a minute; as many at once as it has not used. */
  connectionsPerMinutePerAddress: z.int().min(1).max(1_000_000).default(6_000),
  loginGraceSeconds: z.int().min(1).max(3_600).default(60),
  idleSeconds: z.int().min(1).max(86_400).default(900),
  maxAuthAttempts: z.int().min(1).max(20).default(6),
});
export type Limits = z.infer<typeof limits>;

export const sshOptions = z.strictObject({
  sftp: z.boolean().default(true),
  scp: z.boolean().default(false),
  /** A client that is silent for so long is asked whether it is there; three questions in vain end it. */
  keepaliveSeconds: z.int().min(5).max(3_600).default(20),
  /** New keys after so many MiB in both directions together (RFC 4253 section 9). */
  rekeyMebibytes: z.int().min(1).max(65_536).default(1_024),
  /** New keys after so long, whatever was sent. */
  rekeySeconds: z.int().min(60).max(86_400).default(3_600),
});

/** Inclusive range of ports for passive data connections. */
export const passiveRange = z
  .strictObject({ from: port, to: port })
  .refine((range) => range.from <= range.to, 'from must not be above to');
export type PassiveRange = z.infer<typeof passiveRange>;

export const ftpOptions = z.strictObject({
  plain: z.boolean().default(false),
  explicitTls: z.boolean().default(true),
  implicitTls: z.boolean().default(false),
  passive: passiveRange.default({ from: 50_000, to: 50_099 }),
  /** Address in PASV answers; the control connection's own where it is left out. */
  passiveAddress: z.ipv4().optional(),
  /** External address per class: the first matching rule's address goes into PASV answers. */
  passiveAddressRules: z
    .array(z.strictObject({ userClass: z.union([z.literal('*'), id]), address: z.ipv4() }))
    .max(50)
    .default([]),
  tlsSessionReuse: z.enum(['off', 'preferred', 'required']).default('preferred'),
  closeNotify: z.enum(['required', 'optional']).default('required'),
  /** How names go to clients that do not ask for UTF-8 (RFC 2640): old ones know one byte a character. */
  nameEncoding: z.enum(['utf-8', 'latin-1']).default('utf-8'),
});

export const httpOptions = z.strictObject({
  plain: z.boolean().default(false),
  hsts: z.boolean().default(true),
});

/** Greeting of one or more lines, which FTP puts into its replies line by line. */
const banner = z
  .string()
  .max(4_000)
  .regex(/^(?:[^\u0000-\u0008\u000b-\u001f\u007f\ud800-\udfff]|\r\n)*$/u, 'no control characters');

const balancers = z.array(cidr).max(50);

const listener = {
  name: alias,
  zone: id,
  host,
  port,
  state: z.enum(serverStates),
  /** Local certificates: host keys on SSH, certificate chains on FTP and HTTP; the first is preferred. */
  certificates: z.array(id).max(8),
  clientCertificate: z.enum(clientCertificateModes),
  /** Name of an algorithm policy, built-in or custom. */
  algorithmPolicy: alias,
  limits,
  /** Balancers whose connections begin with a PROXY protocol header; from nobody else is one taken. */
  proxyProtocolFrom: balancers.default([]),
  banner: banner.optional(),
  /** TLS: name the trusted and internal CAs in the CertificateRequest. */
  advertiseClientCas: z.boolean(),
  /** After this time sessions that a stricter rule has made `outdated` are ended, and all of a server that drains. */
  drainBy: time.optional(),
};

const stored = { id, version: z.int(), createdAt: time };

export const sshServer = z.strictObject({
  ...stored,
  ...listener,
  protocol: z.literal('ssh'),
  /** Meaningful when `clientCertificate` is `required`: `disabled` never offers a password method. */
  clientPassword: z.enum(['default', 'disabled']),
  ssh: sshOptions,
});
export const ftpServer = z.strictObject({
  ...stored,
  ...listener,
  protocol: z.literal('ftp'),
  ftp: ftpOptions,
});
export const httpServer = z.strictObject({
  ...stored,
  ...listener,
  protocol: z.literal('http'),
  http: httpOptions,
});

/** A listener definition; every active node of its zone runs it. */
export const server = z.discriminatedUnion('protocol', [sshServer, ftpServer, httpServer]);
export type Server = z.infer<typeof server>;
export type SshServer = z.infer<typeof sshServer>;
export type FtpServer = z.infer<typeof ftpServer>;
export type HttpServer = z.infer<typeof httpServer>;

const createShared = {
  name: alias,
  zone: id,
  host: host.default('0.0.0.0'),
  port,
  state: z.enum(serverStates).default('running'),
  certificates: listener.certificates.default([]),
  algorithmPolicy: listener.algorithmPolicy.default('modern'),
  limits: limits.prefault({}),
  proxyProtocolFrom: listener.proxyProtocolFrom,
  banner: listener.banner,
  advertiseClientCas: z.boolean().default(true),
  drainBy: listener.drainBy,
};

/** Defaults of design section 3: `optional` on SSH, `disabled` on FTP and HTTP. */
export const serverCreate = z.discriminatedUnion('protocol', [
  z.strictObject({
    ...createShared,
    protocol: z.literal('ssh'),
    clientCertificate: listener.clientCertificate.default('optional'),
    clientPassword: z.enum(['default', 'disabled']).default('default'),
    ssh: sshOptions.prefault({}),
  }),
  z.strictObject({
    ...createShared,
    protocol: z.literal('ftp'),
    clientCertificate: listener.clientCertificate.default('disabled'),
    ftp: ftpOptions.prefault({}),
  }),
  z.strictObject({
    ...createShared,
    protocol: z.literal('http'),
    clientCertificate: listener.clientCertificate.default('disabled'),
    http: httpOptions.prefault({}),
  }),
]);
export type ServerCreate = z.infer<typeof serverCreate>;

/** A change of a listener; protocol and zone are fixed. A group of options is replaced whole. */
export const serverPatch = z
  .strictObject({
    name: alias,
    host,
    port,
    state: listener.state,
    certificates: listener.certificates,
    clientCertificate: listener.clientCertificate,
    clientPassword: z.enum(['default', 'disabled']),
    algorithmPolicy: listener.algorithmPolicy,
    limits,
    proxyProtocolFrom: balancers,
    banner: banner.nullable(),
    advertiseClientCas: z.boolean(),
    drainBy: time.nullable(),
    ssh: sshOptions,
    ftp: ftpOptions,
    http: httpOptions,
  })
  .partial();
export type ServerPatch = z.infer<typeof serverPatch>;
