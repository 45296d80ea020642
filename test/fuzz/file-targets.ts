// SFTP and SCP over a real home: besides not throwing, no input may leave anything outside of it.
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskFileSystem } from '@sallyport/files/disk';
import { createScpSession, createSftpSession, parseScpCommand } from '@sallyport/sftp';
import { temporaryFolder } from '../support/process.ts';
import { type FuzzTarget, portionsOf } from './target.ts';

function makeHome() {
  const root = temporaryFolder();
  const home = join(root, 'home');
  mkdirSync(home);
  return {
    files: () => diskFileSystem({ home, uploadMode: 'staged' }),
    check() {
      if (readdirSync(root).length !== 1) throw new Error('something lies outside of the home');
    },
  };
}

const text = (content: string) => new TextEncoder().encode(content);

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const field = (content: string): Buffer =>
  Buffer.concat([uint32(Buffer.byteLength(content)), Buffer.from(content)]);
/** One packet of a client: its type, its id, and its fields (draft-ietf-secsh-filexfer-02). */
const packet = (type: number, ...fields: (number | string)[]): Buffer => {
  const body = Buffer.concat([
    Buffer.from([type]),
    ...fields.map((one) => (typeof one === 'number' ? uint32(one) : field(one))),
  ]);
  return Buffer.concat([uint32(body.length), body]);
};

const init = packet(1, 3);
const handle = '\0\0\0\0';
const [open, close, read, write, fsetstat, opendir, readdir] = [3, 4, 5, 6, 10, 11, 12] as const;
const [remove, mkdir, rmdir, realpath, rename, readlink, symlink, extended] = [
  13, 14, 15, 16, 18, 19, 20, 200,
] as const;

/** Whole conversations of a client. */
const conversations: readonly Buffer[] = [
  [
    packet(open, 1, '/up', 0x1a, 4, 0o600),
    packet(write, 2, handle, 0, 0, 'some bytes'),
    packet(fsetstat, 3, handle, 9, 0, 4, 1, 2),
    packet(close, 4, handle),
  ],
  [packet(open, 1, '/up', 1, 0), packet(read, 2, handle, 0, 0, 32_768), packet(close, 3, handle)],
  [packet(opendir, 1, '/'), packet(readdir, 2, handle), packet(readdir, 3, handle), packet(close, 4, handle)],
  [
    packet(mkdir, 1, '/a', 0),
    packet(rename, 2, '/up', '/a/b'),
    packet(symlink, 3, '../../out', '/link'),
    packet(readlink, 4, '/link'),
    packet(realpath, 5, '/a/../..'),
    packet(remove, 6, '/a/b'),
    packet(rmdir, 7, '/a'),
  ],
  [
    packet(extended, 1, 'posix-rename@openssh.com', '/up', '/../../out'),
    packet(extended, 2, 'hardlink@openssh.com', '/up', '/hard'),
    packet(extended, 3, 'statvfs@openssh.com', '/'),
    packet(extended, 4, 'limits@openssh.com'),
    packet(extended, 5, 'expand-path@openssh.com', '~/x'),
  ],
].map((packets) => Buffer.concat([init, ...packets]));

export const sftp = (): FuzzTarget => {
  const home = makeHome();
  return {
    name: 'sftp',
    seeds: async () => conversations,
    async feed(input, random) {
      const closed = Promise.withResolvers<unknown>();
      let fault: unknown;
      const session = createSftpSession({
        files: home.files(),
        admitsOperations: () => true,
        now: () => Date.UTC(2026, 10, 24),
        onTransfer: () => {},
        onError: (error) => {
          fault = error;
        },
        transport: {
          send: (reply) => queueMicrotask(() => session.sent(reply.length)),
          credit: () => {},
          close: closed.resolve,
        },
      });
      for (const portion of portionsOf(input, random)) {
        session.receive(portion);
        if (random(4) === 0) await new Promise(setImmediate);
      }
      if (random(2) === 0) session.end();
      else session.abort();
      await closed.promise;
      if (fault !== undefined) throw fault;
      home.check();
    },
  };
};

const scpInputs = [
  'T1600000000 0 1600000001 0\nC0644 5 name\nhello\0',
  'D0755 0 folder\nC0600 3 a b\nabc\0E\n',
  'C0644 0 ../out\n\0',
  '\u0001a warning\nC0644 99999999999 x\n',
];

export const scp = (): FuzzTarget => {
  const home = makeHome();
  const command = parseScpCommand('scp -r -p -t .');
  if (!command.ok) throw new Error(command.fault.code);
  return {
    name: 'scp',
    seeds: async () => scpInputs.map(text),
    async feed(input, random) {
      const closed = Promise.withResolvers<number>();
      let fault: unknown;
      const session = createScpSession({
        files: home.files(),
        command: command.value,
        admitsOperations: () => true,
        onTransfer: () => {},
        onError: (error) => {
          fault = error;
        },
        transport: {
          send: (bytes) => queueMicrotask(() => session.sent(bytes.length)),
          credit: () => {},
          close: closed.resolve,
        },
      });
      for (const portion of portionsOf(input, random)) session.receive(portion);
      if (random(2) === 0) session.end();
      else session.abort();
      await closed.promise;
      if (fault !== undefined) throw fault;
      home.check();
    },
  };
};
