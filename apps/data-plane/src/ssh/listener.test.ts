import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { modernPolicy } from '@sallyport/model';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeHostKey, Stage, until } from './fixture/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const identities = () => stage.hostKeys.map((key) => key.identity);

describe('a changed definition', () => {
  it('shows a new host key to new connections, while a transfer on the old one completes', async () => {
    const content = randomBytes(4 * 1024 * 1024);
    await writeFile(stage.at('slow'), content);
    const running = stage.startSftp(`put ${stage.at('slow')} slow\n`, '-l', '20000');
    await until(() => stage.desk.sessions.length === 1);
    const oldKeys = stage.hostKeys;
    await stage.apply({}, [makeHostKey('ed25519', 'new-key')]);
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
    await stage.trust(oldKeys);
    const refused = await stage.sftp('pwd\n');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('Host key verification failed');
    expect(stage.desk.sessions[0]?.transfers).toEqual([]);
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(await readFile(join(stage.home, 'slow'))).toEqual(content);
  });

  it('moves to another port and lets connections go on', async () => {
    const { port } = stage;
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const taken = (other.address() as { port: number }).port;
    const busy = {
      server: { ...stage.server, port: taken },
      identities: identities(),
      algorithms: modernPolicy,
    };
    expect(await stage.listener.apply(busy)).toMatchObject({ fault: { code: 'item-port-in-use' } });
    expect(stage.port).toBe(port);
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
    await new Promise((resolve) => other.close(resolve));
    await stage.apply({ port: taken });
    expect(stage.port).toBe(taken);
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
    await stage.apply({ host: '0.0.0.0' });
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
  });

  it('goes back to the old address where the new one cannot be had', async () => {
    await stage.apply({ port: stage.port });
    const foreign = {
      server: { ...stage.server, host: '192.0.2.1' },
      identities: identities(),
      algorithms: modernPolicy,
    };
    expect(await stage.listener.apply(foreign)).toMatchObject({ fault: { code: 'item-engine-refused' } });
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
  });

  it('without a usable key is refused, and the old one holds', async () => {
    expect(
      await stage.listener.apply({ server: stage.server, algorithms: modernPolicy, identities: [] }),
    ).toMatchObject({
      fault: { code: 'item-key-missing' },
    });
    const broken = { id: 'broken', chain: [], privateKey: new Uint8Array(5), keyType: 'ed25519' } as const;
    const applied = await stage.listener.apply({
      server: stage.server,
      algorithms: modernPolicy,
      identities: [broken],
    });
    expect(applied).toMatchObject({ fault: { code: 'item-engine-refused' } });
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
  });

  it('that is suspended closes the port, and running opens it again', async () => {
    await stage.apply({ state: 'suspended' });
    expect(stage.listener.port).toBeUndefined();
    await stage.apply({ state: 'running' });
    expect(await stage.sftp('pwd\n')).toMatchObject({ code: 0 });
  });

  it('that drains admits nobody', async () => {
    await stage.apply({ state: 'draining' });
    expect((await stage.sftp('pwd\n')).stderr).toContain('Permission denied');
  });

  it('shows its banner', async () => {
    await stage.apply({ banner: 'Authorised partners only.' });
    const done = await stage.ssh(['-s', 'none']);
    expect(done.stderr).toContain('Authorised partners only.');
  });
});

describe('a client', () => {
  it('behind a balancer is the one that the balancer names', async () => {
    await stage.apply({ proxyProtocolFrom: ['127.0.0.1/32'] });
    const through = connect(stage.port, '127.0.0.1');
    await once(through, 'connect');
    through.write('PROXY TCP4 203.0.113.7 127.0.0.1 49152 22\r\n');
    const client = new ssh2.Client();
    client.connect({ sock: through, username: 'demo', password: stage.password });
    await once(client, 'ready');
    expect(stage.notices).toMatchObject([{ kind: 'connection', source: '203.0.113.7' }]);
    client.end();
    await stage.desk.sessions.at(-1)?.closed;
    expect((await stage.sftp('pwd\n')).code).not.toBe(0);
  });

  it('may come over IPv6', async () => {
    await stage.apply({ host: '::1' });
    const { stderr, code } = await stage.ssh(
      ['-s', 'none'],
      stage.clientKey,
      '-o',
      'HostName=::1',
      '-o',
      `HostKeyAlias=[127.0.0.1]:${stage.port}`,
    );
    expect(stderr).toContain('subsystem request failed');
    expect(code).not.toBe(0);
  });
});

describe('the end', () => {
  it('of accepting leaves connections alone; close ends them', async () => {
    const { child, ended } = stage.startSftp('!cat\n');
    await until(() => stage.desk.sessions.length === 1);
    await stage.listener.stopAccepting();
    expect(stage.listener.port).toBeUndefined();
    let over = false;
    void stage.desk.sessions[0]?.closed.then(() => {
      over = true;
    });
    await new Promise(setImmediate);
    expect(over).toBe(false);
    await stage.listener.close();
    await stage.desk.sessions[0]?.closed;
    child.kill();
    await ended;
  });
});
