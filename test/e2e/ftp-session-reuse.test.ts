// A server that requires data connections to resume the TLS session of their account: lftp and curl pass as they are,
// one after the other and in parallel as far as they can; who brings no session, or another's, gets no byte and leaves a line in the log.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, startProcess, temporaryFolder } from '../support/process.ts';
import { curl, urlOf } from './support/curl.ts';
import { lftp } from './support/lftp.ts';
import {
  changeServer,
  demoOf,
  placeFile,
  type Quickstart,
  startQuickstart,
  untilLive,
} from './support/quickstart.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
const folder = temporaryFolder();
const names = Array.from({ length: 12 }, (_, at) => `f${at}`);
const login = () => ({ password: quickstart.contract.account.password });

beforeAll(async () => {
  quickstart = await startQuickstart();
  const { zone, ftp, ftps } = await demoOf(quickstart);
  for (const server of [ftp, ftps]) {
    const change = { ftp: { ...server.ftp, tlsSessionReuse: 'required' as const } };
    const { changeSequence } = await changeServer(quickstart, server.id, change);
    await untilLive(quickstart, zone.id, changeSequence);
  }
  for (const name of names) await placeFile(quickstart, 'demo', name, `file ${name}`);
});
afterAll(() => quickstart.stop());

/** Reasons of refused data connections in the log. */
const refusals = async (): Promise<(string | undefined)[]> =>
  (await quickstart.api.events(0))
    .filter(({ reason }) => reason?.startsWith('data-session'))
    .map(({ reason }) => reason);

// Not on TLS 1.3: OpenSSL's client spends a ticket at its first use, and curl before 8.12 holds one at a time.
const concurrently = ['-Z', '--parallel-max', '4', '--parallel-immediate'];

test.each(['1.2', '1.3'])('curl and lftp pass on TLS %s', async (version) => {
  const { contract } = quickstart;
  const only = [`--tlsv${version}`, '--tls-max', version];
  for (const parallel of version === '1.2' ? [[], concurrently] : [[]]) {
    const into = temporaryFolder();
    const others = names.slice(1).flatMap((name) => ['-o', join(into, name), urlOf(contract, 'ftp', name)]);
    const [first = ''] = names;
    const done = await curl(contract, 'ftp', first, login(), [
      ...only,
      ...parallel,
      ...others,
      '-o',
      join(into, first),
    ]);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    for (const name of names) expect(await readFile(join(into, name), 'utf8')).toBe(`file ${name}`);
  }
  const into = temporaryFolder();
  const done = await lftp(
    contract,
    'ftps',
    login(),
    `set ssl:priority SECURE128:-VERS-ALL:+VERS-TLS${version} && lcd ${into} && mget -P 3 f* && mirror -P 2 / ${into}/copy && mirror -R -P 2 ${into}/copy /back${version}`,
  );
  expect(done).toMatchObject({ code: 0, stderr: '' });
  for (const name of names) expect(await readFile(join(into, name), 'utf8')).toBe(`file ${name}`);
  expect(await refusals()).toEqual([]);
});

test('a client without reuse is refused, and so is a thief at the passive port', async () => {
  const { contract } = quickstart;
  const { host, port } = contract.servers.ftp;
  const script = join(folder, 'client.py');
  writeFileSync(
    script,
    `import ftplib, re, ssl, sys
host, port, ca, user, password = sys.argv[1:]
client = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=ca))
client.connect(host, int(port)); client.login(user, password); client.prot_p()
print(re.search(r'\\|(\\d+)\\|', client.sendcmd('EPSV')).group(1), flush=True)
sys.stdin.readline()
client.putcmd('RETR f0'); print(client.getresp(), flush=True); print(client.getmultiline(), flush=True)
try:
    client.retrbinary('RETR f0', lambda data: print('got', data))
except ssl.SSLError:
    print(client.getmultiline())
except ftplib.all_errors as error:
    print(error)
`,
  );
  const { name, password } = contract.account;
  const stolen: Buffer[] = [];
  const victim = startProcess('python3', [script, host, String(port), contract.files.ca, name, password]);
  const passive = await eventually(
    async () => {
      const line = /^(\d+)\n/.exec(victim.stdout())?.[1];
      if (line === undefined) throw new Error(`no port: ${victim.stdout()}${victim.stderr()}`);
      return Number(line);
    },
    { timeoutMs: 30_000 },
  );
  const raw = net.connect(passive, host);
  raw.on('error', () => {});
  await once(raw, 'connect');
  const thief = tls.connect({ socket: raw, rejectUnauthorized: false });
  thief.on('error', () => {});
  thief.on('data', (data) => stolen.push(data));
  victim.child.stdin?.end('\n');
  expect(await victim.exited).toBe(0);
  const stdout = victim.stdout();
  expect(stdout.split('\n').slice(1).join('\n')).toMatch(/^150 .*\n522 .*\n522 /);
  expect(stolen).toEqual([]);
  await expect.poll(refusals, { timeout: 20_000 }).toEqual(['data-session-none', 'data-session-none']);
});
