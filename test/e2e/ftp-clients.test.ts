// The FTP clients of partners, with TLS: lftp and rclone mirror folders both ways, Python's ftplib and Node's basic-ftp
// do what programs do, and gnutls-cli shakes hands. Each checks whom it talks to.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'basic-ftp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run, temporaryFolder } from '../support/process.ts';
import { lftp } from './support/lftp.ts';
import { type Quickstart, startQuickstart } from './support/quickstart.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
beforeAll(async () => {
  quickstart = await startQuickstart();
});
afterAll(() => quickstart.stop());

const targets = ['ftp', 'ftps'] as const;
type Target = (typeof targets)[number];
const addressOf = (target: Target) => quickstart.contract.servers[target === 'ftp' ? 'ftp' : 'ftpsImplicit'];
const clean = { code: 0, stderr: '' };

/**
 * A folder of folders and files, with names that clients are known to stumble over, and times.
 *
 * @param smallest size of the smallest files
 */
function makeTree(smallest = 0): string {
  const top = temporaryFolder();
  for (const folder of ['', 'sub', 'sub/deep', 'with space', 'ümlaut', 'empty']) {
    mkdirSync(join(top, folder), { recursive: true });
    if (folder === 'empty') continue;
    for (let i = 0; i < 4; i++)
      writeFileSync(join(top, folder, `file ${i}.bin`), randomBytes(smallest + i * 40_000));
  }
  writeFileSync(join(top, 'sub', '日本語.txt'), 'names in UTF-8\n');
  for (const [path] of contents(top)) utimesSync(join(top, path), 1_600_000_000, 1_600_000_000);
  return top;
}

/** Path and content, in hexadecimal, of each file below a folder. */
const contents = (top: string): [string, string][] =>
  readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('.sallyport'))
    .map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(top.length + 1), readFileSync(path).toString('hex')];
    })
    .sort(([one], [other]) => (one < other ? -1 : 1));

const home = () => quickstart.filesOf('demo');

describe.each(targets)('%s', (target) => {
  const login = () => ({ password: quickstart.contract.account.password });

  test.each([
    ['passive', 'set ftp:passive-mode yes'],
    ['active', 'set ftp:passive-mode no; set ftp:port-ipv4 127.0.0.1'],
  ])('lftp mirrors both ways, in parallel, %s', async (way, setting) => {
    const tree = makeTree();
    const back = temporaryFolder();
    const name = `lftp-${target}-${way}`;
    const mirror = `mirror -R -P 3 ${tree} ${name} && mirror -P 3 ${name} ${back}`;
    expect(await lftp(quickstart.contract, target, login(), `${setting}; ${mirror}`)).toMatchObject(clean);
    expect(contents(join(home(), name))).toEqual(contents(tree));
    expect(contents(back)).toEqual(contents(tree));
    expect(statSync(join(home(), name, 'sub', '日本語.txt')).mtimeMs).toBe(1_600_000_000_000);
    const again = await lftp(quickstart.contract, target, login(), `mirror -R --verbose ${tree} ${name}`);
    expect(again.stdout).not.toContain('Transferring');
  });

  test('rclone copies both ways and finds both sides equal', async () => {
    const tree = makeTree();
    const back = temporaryFolder();
    const { contract } = quickstart;
    const { host, port } = addressOf(target);
    const obscured = (await run('rclone', ['obscure', contract.account.password])).stdout.trim();
    const remote = `:ftp:rclone-${target}`;
    const rclone = (...args: string[]) =>
      run(
        'rclone',
        [
          ...[
            ...args,
            '--config=',
            '--retries=1',
            '--create-empty-src-dirs',
            `--ca-cert=${contract.files.ca}`,
          ],
          ...[`--ftp-host=${host}`, `--ftp-port=${port}`, `--ftp-user=${contract.account.name}`],
          ...[`--ftp-pass=${obscured}`, target === 'ftp' ? '--ftp-explicit-tls' : '--ftp-tls'],
        ],
        { env: { SSL_CERT_FILE: contract.files.ca } },
      );
    expect(await rclone('copy', tree, remote)).toMatchObject({ code: 0 });
    expect(contents(join(home(), `rclone-${target}`))).toEqual(contents(tree));
    expect(statSync(join(home(), `rclone-${target}`, 'sub', '日本語.txt')).mtimeMs).toBe(1_600_000_000_000);
    expect(await rclone('copy', remote, back)).toMatchObject({ code: 0 });
    expect(contents(back)).toEqual(contents(tree));
    expect((await rclone('sync', tree, remote, '-v')).stderr).toMatch(/There was nothing to transfer/);
  });

  test.each(['passive', 'active'])('Python’s ftplib, %s', async (way) => {
    const { contract } = quickstart;
    const { host, port } = addressOf(target);
    const done = await run('/usr/bin/python3', ['-c', ftplib, way, target, host, String(port)], {
      env: { USER_NAME: contract.account.name, PASSWORD: contract.account.password, CA: contract.files.ca },
    });
    expect(done).toMatchObject(clean);
    expect(JSON.parse(done.stdout)).toMatchObject({
      listed: ['a.txt'],
      size: 10,
      facts: { size: '10', type: 'file' },
      modified: '213 20200102030405',
      tail: '56789',
      lines: ['one', 'two'],
      stored: expect.stringMatching(/^226/),
      missing: expect.stringMatching(/^550/),
    });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('Node’s basic-ftp, %s', async (version) => {
    const { contract } = quickstart;
    const { host, port } = addressOf(target);
    // In a resumed session it ends the connection of an empty file before the handshake is done.
    const tree = makeTree(1);
    const back = temporaryFolder();
    const client = new Client(10_000);
    try {
      await client.access({
        host,
        port,
        user: contract.account.name,
        password: contract.account.password,
        secure: target === 'ftp' ? true : 'implicit',
        secureOptions: { ca: readFileSync(contract.files.ca), minVersion: version, maxVersion: version },
      });
      const name = `basic-${target}-${version}`;
      await client.uploadFromDir(tree, name);
      expect(contents(join(home(), name))).toEqual(contents(tree));
      await client.downloadToDir(back, name);
      expect(contents(back)).toEqual(contents(tree));
      await client.cd(`/${name}`);
      expect((await client.list()).map((entry) => entry.name)).toContain('with space');
      expect(await client.size('file 3.bin')).toBe(120_001);
      await client.rename('file 3.bin', 'moved');
      await client.appendFrom(join(tree, 'file 1.bin'), 'moved');
      expect(await client.size('moved')).toBe(160_002);
      expect((await client.features()).get('REST')).toBe('STREAM');
      await client.cd('/');
      await client.removeDir(name);
    } finally {
      client.close();
    }
  });
});

test('gnutls-cli verifies the explicit and the implicit listener', async () => {
  const { contract } = quickstart;
  const { ftp, ftpsImplicit } = contract.servers;
  const { host, port } = ftpsImplicit;
  const options = [`--x509cafile=${contract.files.ca}`, '-p'];
  const shaken = await run('gnutls-cli', [...options, String(port), host]);
  expect(shaken).toMatchObject({ code: 0 });
  expect(shaken.stdout).toContain('Status: The certificate is trusted.');
  expect(shaken.stdout).toMatch(/Description: \(TLS1\.3/);
  expect(shaken.stdout).toMatch(/^220 /m);
  const explicit = await run('gnutls-cli', ['--starttls-proto=ftp', ...options, String(ftp.port), host]);
  expect(explicit.stdout).toContain('Status: The certificate is trusted.');
});

/** Arguments: the way, the kind of TLS, host, port. Prints what it was told, as JSON. */
const ftplib = `
import ftplib, io, json, os, ssl, sys
way, target, host, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
context = ssl.create_default_context(cafile=os.environ['CA'])

class Implicit(ftplib.FTP_TLS):
    def connect(self, *args, **kwargs):
        self._sock = None
        return super().connect(*args, **kwargs)
    @property
    def sock(self):
        return self._sock
    @sock.setter
    def sock(self, value):
        if value is not None and not isinstance(value, ssl.SSLSocket):
            value = self.context.wrap_socket(value, server_hostname=self.host)
        self._sock = value

ftp = (ftplib.FTP_TLS if target == 'ftp' else Implicit)(context=context, timeout=15)
if target == 'ftp':
    ftp.connect(host, port)
    ftp.auth()
else:
    ftp.connect(host, port)
ftp.login(os.environ['USER_NAME'], os.environ['PASSWORD'], '') if target == 'ftp' else ftplib.FTP.login(ftp, os.environ['USER_NAME'], os.environ['PASSWORD'])
ftp.prot_p()
ftp.set_pasv(way == 'passive')
folder = 'python-%s-%s' % (target, way)
ftp.mkd(folder)
ftp.cwd(folder)
answers = {}
answers['stored'] = ftp.storbinary('STOR a.txt', io.BytesIO(b'0123456789'))
answers['listed'] = ftp.nlst()
ftp.voidcmd('TYPE I')
answers['size'] = ftp.size('a.txt')
answers['facts'] = dict(ftp.mlsd(facts=['size', 'type']))['a.txt']
ftp.sendcmd('MFMT 20200102030405 a.txt')
answers['modified'] = ftp.sendcmd('MDTM a.txt')
tail = io.BytesIO()
ftp.retrbinary('RETR a.txt', tail.write, rest=5)
answers['tail'] = tail.getvalue().decode()
ftp.storlines('STOR lines', io.BytesIO(b'one\\ntwo\\n'))
lines = []
ftp.retrlines('RETR lines', lines.append)
answers['lines'] = lines
try:
    ftp.retrbinary('RETR missing', tail.write)
except ftplib.error_perm as error:
    answers['missing'] = str(error)
ftp.delete('a.txt')
ftp.delete('lines')
ftp.cwd('..')
ftp.rmd(folder)
ftp.quit()
print(json.dumps(answers))
`;
