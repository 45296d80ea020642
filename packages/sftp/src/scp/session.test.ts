import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, utf8 } from '@sallyport/bytes';
import { faults } from '@sallyport/faults';
import { diskFileSystem } from '@sallyport/files/disk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SftpTransfer } from '../transfer.ts';
import { parseScpCommand } from './command.ts';
import { createScpSession } from './session.ts';

let root: string;
let home: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'scp-')));
  home = join(root, 'home');
  await mkdir(home);
});
afterEach(() => rm(root, { recursive: true }));

type Told = {
  readonly status: number;
  readonly said: string;
  readonly transfers: SftpTransfer[];
  readonly errors: unknown[];
};

/** Gives a command all that its client says at once, in portions, and waits for its end. */
async function tell(command: string, said: Uint8Array, portion = said.length): Promise<Told> {
  const parsed = parseScpCommand(command);
  if (!parsed.ok) throw new Error(parsed.fault.code);
  const answers: Uint8Array[] = [];
  const transfers: SftpTransfer[] = [];
  const errors: unknown[] = [];
  const closed = Promise.withResolvers<number>();
  const session = createScpSession({
    files: diskFileSystem({ home, uploadMode: 'staged' }),
    command: parsed.value,
    admitsOperations: () => true,
    onTransfer: (transfer) => transfers.push(transfer),
    onError: (error) => errors.push(error),
    transport: {
      send(bytes) {
        answers.push(bytes.slice());
        queueMicrotask(() => session.sent(bytes.length));
      },
      credit: () => {},
      close: closed.resolve,
    },
  });
  for (let at = 0; at < said.length; at += portion) {
    const chunk = said.slice(at, at + portion);
    session.receive(chunk);
    chunk.fill(0xee);
  }
  session.end();
  return {
    status: await closed.promise,
    said: new TextDecoder().decode(concat(...answers)),
    transfers,
    errors,
  };
}

const shown = async (): Promise<string[]> =>
  (await readdir(home, { recursive: true })).filter((name) => !name.startsWith('.sallyport')).sort();

describe('receiving', () => {
  it.each([1, 7, 1_000])('takes a tree in portions of %i bytes', async (portion) => {
    const said = utf8(
      'D0755 0 d\nT1600000000 0 1500000000 0\nC0644 5 f\nhello\0C0600 0 empty\n\0E\nC0644 2 g\nhi\0',
    );
    const told = await tell('scp -r -p -t .', said, portion);
    expect(told).toMatchObject({ status: 0, errors: [] });
    expect(await shown()).toEqual(['d', 'd/empty', 'd/f', 'g']);
    expect(await readFile(join(home, 'd/f'), 'utf8')).toBe('hello');
    expect(told.transfers).toMatchObject([{ bytes: 5 }, { bytes: 0 }, { bytes: 2 }]);
  });

  it.each([
    'C0644 5 ../f\nhello\0',
    'C0644 5 a/b\nhello\0',
    'C0644 5 ..\nhello\0',
    'C0644 5 .\nhello\0',
    'C0644 -5 f\nhello\0',
    'C0644 99999999999999999999 f\nhello\0',
    'C9999 5 f\nhello\0',
    'C0644 5 .sallyport-staging\nhello\0',
    'D0755 0 ../d\nE\n',
    'E\n',
    'X\n',
    'Tnow\n',
    `C0644 5 ${'n'.repeat(300)}\nhello\0`,
    'y'.repeat(100_000),
    'C0644 5 f\nhell',
    'C0644 5 f\nhello',
    'C0644 5 f\nhello\x02gone\n',
    '\x02stop\n',
  ])('stores nothing of %j', async (said) => {
    const told = await tell('scp -r -t .', utf8(said));
    expect(told.errors).toEqual([]);
    expect(await shown()).toEqual([]);
    expect(await readdir(root)).toEqual(['home']);
  });

  it('takes no folder where none was announced, and none inside one another without end', async () => {
    expect((await tell('scp -t .', utf8('D0755 0 d\nE\n'))).status).toBe(1);
    expect(await shown()).toEqual([]);
    await tell('scp -r -t .', utf8('D0755 0 d\n'.repeat(500)));
    expect(await shown()).toHaveLength(64);
  });

  it('survives noise', async () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return seed % below;
    };
    const pieces = [
      'C0644 3 f\n',
      'abc\0',
      'D0755 0 d\n',
      'E\n',
      'T1 0 1 0\n',
      '\x01no\n',
      '\0',
      '\n',
      'C',
      ' ',
      '\xff',
    ];
    for (let round = 0; round < 60; round++) {
      const said = Array.from({ length: random(30) }, () => pieces[random(pieces.length)] as string).join('');
      const told = await tell('scp -r -p -t .', utf8(said), 1 + random(9));
      expect(told.errors).toEqual([]);
    }
    expect(await readdir(root)).toEqual(['home']);
  });
});

describe('sending', () => {
  it('announces, sends and goes on after a refusal', async () => {
    await writeFile(join(home, 'a'), 'first');
    await writeFile(join(home, 'b'), 'second');
    const told = await tell('scp -f a none b', utf8('\0\0\0\x01no room\n\0'));
    expect(told.said).toBe(`C0644 5 a\nfirst\0\x01scp: /none: ${faults['file-not-found'].text}\nC0644 6 b\n`);
    expect(told.transfers).toMatchObject([{ direction: 'download', path: '/a', outcome: 'completed' }]);
    expect(told.status).toBe(1);
  });

  it('ends where the client says nothing', async () => {
    await writeFile(join(home, 'a'), 'first');
    expect(await tell('scp -f a', utf8(''))).toMatchObject({ said: '', errors: [], transfers: [] });
  });
});
