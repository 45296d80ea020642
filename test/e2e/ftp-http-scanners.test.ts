// What testssl.sh and sslscan say of FTPS and HTTPS under the default policy: no weakness of medium severity or above.
// testssl.sh looks at protocols and the faults of implementations. Left out, for its time: suites and forward secrecy, of
// which sslscan lists every one, client simulations, and the attacks that need a suite or a version which those have not
// found (BEAST, DROWN, FREAK, LOGJAM, LUCKY13, POODLE, RC4, ROBOT, SWEET32). The quickstart's certificate is of its own CA,
// in which no scanner believes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { run, temporaryFolder } from '../support/process.ts';
import { type Quickstart, startQuickstart } from './support/quickstart.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

let quickstart: Quickstart;
beforeAll(async () => {
  quickstart = await startQuickstart();
});
afterAll(() => quickstart.stop());

type Finding = { readonly id: string; readonly severity: string; readonly finding: string };

const checks = ['-p', '-R', '-C', '-Z', '-H', '-I'];
const addressOf = (target: 'ftp' | 'https'): string => {
  const { host, port } = quickstart.contract.servers[target];
  return `${host}:${port}`;
};

describe.each(['ftp', 'https'] as const)('%s', (target) => {
  test('testssl.sh finds nothing of medium severity or above', async () => {
    const report = join(temporaryFolder(), 'report.json');
    const { code, stdout } = await run(
      'testssl',
      [
        ...['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--fast'],
        ...(target === 'ftp' ? ['--starttls', 'ftp'] : []),
        ...[...checks, '--jsonfile', report, addressOf(target)],
      ],
      { timeoutMs: 290_000, cwd: temporaryFolder() },
    );
    expect({ code, stdout }).toMatchObject({ code: expect.any(Number) });
    const findings = JSON.parse(readFileSync(report, 'utf8')) as Finding[];
    const severityOf = (id: string) => findings.find((finding) => finding.id === id)?.severity;
    // It has really looked: these are what it knows a good server by.
    for (const id of ['SSLv3', 'TLS1_3', 'heartbleed', 'secure_client_renego']) {
      expect([id, severityOf(id)]).toEqual([id, 'OK']);
    }
    expect(findings.filter(({ severity }) => /^(MEDIUM|HIGH|CRITICAL|FATAL)$/.test(severity))).toEqual([]);
  });

  test('sslscan finds TLS 1.2 and 1.3 alone, with forward secrecy and authenticated ciphers alone', async () => {
    const { code, stdout } = await run(
      'sslscan',
      ['--no-colour', '--xml=-', ...(target === 'ftp' ? ['--starttls-ftp'] : []), addressOf(target)],
      { timeoutMs: 120_000 },
    );
    expect(code).toBe(0);
    const elements = (name: string): Record<string, string>[] =>
      [...stdout.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, 'g'))].map(([, attributes = '']) =>
        Object.fromEntries(
          [...attributes.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
        ),
      );
    const enabled = elements('protocol').filter((protocol) => protocol.enabled === '1');
    expect(enabled.map(({ type, version }) => `${type} ${version}`)).toEqual(['tls 1.2', 'tls 1.3']);
    expect(elements('renegotiation')).toEqual([{ supported: '0', secure: '0' }]);
    expect(elements('heartbleed').filter(({ vulnerable }) => vulnerable !== '0')).toEqual([]);
    const ciphers = elements('cipher').map(({ cipher = '' }) => cipher);
    expect(ciphers.length).toBeGreaterThanOrEqual(6);
    for (const cipher of ciphers) expect(cipher).toMatch(/^(TLS_|ECDHE-).*(GCM|POLY1305)/);
  });
});
