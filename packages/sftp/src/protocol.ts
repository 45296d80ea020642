/** Numbers of draft-ietf-secsh-filexfer-02: the SFTP version 3 that clients speak. */

/** Packet types (section 3). */
export const messageType = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** The two status codes that are no refusal (section 7); the others come from the fault table. */
export const statusCode = { ok: 0, eof: 1 } as const;

/** Bits of `pflags` in SSH_FXP_OPEN (section 6.3). */
export const openFlag = {
  read: 0x01,
  write: 0x02,
  append: 0x04,
  create: 0x08,
  truncate: 0x10,
  exclusive: 0x20,
} as const;

/** Bits of the flags field of ATTRS (section 5). */
export const attributeFlag = {
  size: 0x01,
  owner: 0x02,
  permissions: 0x04,
  times: 0x08,
  extended: 0x8000_0000,
} as const;

/** The only version that we speak. */
export const protocolVersion = 3;

/** Extensions announced in SSH_FXP_VERSION, by name and version (OpenSSH PROTOCOL, section 4). */
export const extensions = {
  'posix-rename@openssh.com': '1',
  'statvfs@openssh.com': '2',
  'fstatvfs@openssh.com': '2',
  'hardlink@openssh.com': '1',
  'fsync@openssh.com': '1',
  'lsetstat@openssh.com': '1',
  'limits@openssh.com': '1',
  'expand-path@openssh.com': '1',
  'copy-data': '1',
  'users-groups-by-id@openssh.com': '1',
} as const;

/** Bounds that limits@openssh.com tells a client; lengths in bytes. */
export const wireLimits = {
  /** A packet without its length field. */
  packetLength: 262_144,
  readLength: 261_120,
  writeLength: 261_120,
} as const;
