import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { type Certificates, makeCertificates, RawClient, serve } from './fixture/served.ts';

/** The ways in which a data connection ends that is not properly closed. */
const cuts = {
  'the socket is destroyed': (raw: Socket) => raw.destroy(),
  'the socket is reset': (raw: Socket) => raw.resetAndDestroy(),
  'the stream ends without alert': (raw: Socket) => raw.end(),
  'garbage between the records': (raw: Socket) => raw.write(randomBytes(100)),
  'the TLS socket is destroyed': (_: Socket, secured: tls.TLSSocket) => secured.destroy(),
};

async function loggedIn(port: number, certificates: Certificates): Promise<RawClient> {
  const raw = await RawClient.connect(port);
  await raw.reply();
  const client = await raw.secure(certificates.ca);
  await client.logInSecured();
  return client;
}

test('whatever cuts a transfer, it is answered, leaves nothing, and its connection goes on', async () => {
  const certificates = await makeCertificates();
  await using served = await serve(certificates);
  await writeFile(join(served.desk.home, 'big'), Buffer.alloc(32 << 20));

  const versions = ['TLSv1.2', 'TLSv1.3'] as const;
  const scenarios = Object.entries(cuts).flatMap(([name, cut]) =>
    versions.flatMap((version) =>
      // A client that ends its own side may still read a download.
      (name === 'the stream ends without alert' ? ['STOR part'] : ['STOR part', 'RETR big']).map(
        (command) => ({
          cut,
          version,
          command,
        }),
      ),
    ),
  );
  await Promise.all(
    scenarios.map(async ({ cut, version, command }, index) => {
      const client = await loggedIn(served.port, certificates);
      const raw = await client.data();
      expect(await client.say(command === 'RETR big' ? command : `${command}-${index}`)).toMatch(/^150/);
      const secured = tls.connect({
        socket: raw,
        servername: 'localhost',
        ca: [certificates.ca.pem],
        maxVersion: version,
      });
      secured.on('error', () => {});
      if (command === 'RETR big') await once(secured, 'readable');
      else {
        await once(secured, 'secureConnect');
        await new Promise((resolve) => secured.write(randomBytes(50_000), resolve));
      }
      cut(raw, secured);
      expect(await client.reply()).toMatch(/^42[56]/);
      expect(await client.say('NOOP')).toMatch(/^200/);
      secured.destroy();
      raw.destroy();
      client.socket.destroy();
    }),
  );
  expect((await readdir(served.desk.home)).filter((name) => name.startsWith('part'))).toEqual([]);
  expect(served.desk.reports.filter((report) => report.outcome === 'completed')).toEqual([]);
});
