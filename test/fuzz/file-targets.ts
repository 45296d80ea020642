// SFTP and SCP over a real home: besides not throwing, no input may leave anything outside of it.
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { diskFileSystem } from '@sallyport/files/disk';
import { createScpSession, parseScpCommand } from '@sallyport/sftp';
import { ask, Peer } from '../../packages/sftp/src/fixture/peer.ts';
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

const handle = new Uint8Array([0, 0, 0, 0]);
const text = (content: string) => new TextEncoder().encode(content);

/** Whole conversations of a client: several packets each. */
const conversations: readonly (readonly Uint8Array[])[] = [
  [
    ask.init(),
    ask.open(1, '/up', 0x1a, { mode: 0o600 }),
    ask.write(2, handle, 0, 'some bytes'),
    ask.fsetstat(3, handle, { size: 4, times: [1, 2] }),
    ask.close(4, handle),
  ],
  [
    ask.init(),
    ask.open(1, '/up', 1),
    ask.read(2, handle, 0, 32_768),
    ask.fstat(3, handle),
    ask.close(4, handle),
  ],
  [ask.init(), ask.opendir(1, '/'), ask.readdir(2, handle), ask.readdir(3, handle), ask.close(4, handle)],
  [
    ask.init(),
    ask.mkdir(1, '/a'),
    ask.rename(2, '/up', '/a/b'),
    ask.symlink(3, '../../out', '/link'),
    ask.readlink(4, '/link'),
    ask.realpath(5, '/a/../..'),
    ask.remove(6, '/a/b'),
    ask.rmdir(7, '/a'),
  ],
  [
    ask.init(),
    ask.extended(1, 'posix-rename@openssh.com', (w) => w.string('/up').string('/../../out')),
    ask.extended(2, 'hardlink@openssh.com', (w) => w.string('/up').string('/hard')),
    ask.extended(3, 'statvfs@openssh.com', (w) => w.string('/')),
    ask.extended(4, 'limits@openssh.com'),
    ask.extended(5, 'expand-path@openssh.com', (w) => w.string('~/x')),
  ],
];

export const sftp = (): FuzzTarget => {
  const home = makeHome();
  return {
    name: 'sftp',
    seeds: async () => conversations.map((packets) => Buffer.concat(packets)),
    async feed(input, random) {
      const peer = new Peer({ files: home.files() });
      for (const portion of portionsOf(input, random)) {
        peer.give(portion);
        if (random(4) === 0) await new Promise(setImmediate);
      }
      if (random(2) === 0) peer.session.end();
      else peer.session.abort();
      await peer.closed;
      if (peer.errors.length > 0) throw peer.errors[0];
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
