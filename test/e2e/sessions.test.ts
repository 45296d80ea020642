// An operator looks who is there, and shows somebody out: over SSH, FTPS and HTTPS, in the middle of a transfer. Everybody
// else stays.
import { stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Session, StoredEvent } from '@sallyport/model';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually, type RunningProcess, temporaryFolder } from '../support/process.ts';
import { startCurl } from './support/curl.ts';
import { makePartner, type Partner } from './support/partner.ts';
import { demoOf, placeFile, type Quickstart, startQuickstart } from './support/quickstart.ts';
import { type OpenSftp, openSftp } from './support/ssh.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

let quickstart: Quickstart;
let partner: Partner;
let bystander: OpenSftp;

beforeAll(async () => {
  quickstart = await startQuickstart();
  const { zone } = await demoOf(quickstart);
  partner = await makePartner(quickstart, zone.id, 'partner');
  await placeFile(quickstart, 'partner', 'big.bin', '');
  // Holes are as long as bytes and cost nothing.
  await truncate(join(quickstart.filesOf('partner'), 'big.bin'), 500_000_000);
  bystander = await openSftp(quickstart.contract, { key: quickstart.contract.files.sshKey });
});
afterAll(async () => {
  await bystander.close();
  await quickstart.stop();
});

/** The partner's one session over a protocol, once its node has told of it. */
async function sessionOver(protocol: Session['protocol']): Promise<Session> {
  let found: Session | undefined;
  await eventually(async () => {
    const sessions = await quickstart.api.sessions.list({ account: 'partner', protocol, limit: '1' });
    expect(sessions).toHaveLength(1);
    [found] = sessions;
  });
  if (!found) throw new Error('there is none');
  return found;
}

/** The event that says that a session is over. */
async function logoutOf(session: string): Promise<StoredEvent> {
  let logout: StoredEvent | undefined;
  await eventually(async () => {
    const events = await quickstart.api.events(0);
    logout = events.find(({ kind, detail }) => kind === 'logout' && detail?.session === session);
    expect(logout).toBeDefined();
  });
  if (!logout) throw new Error('it goes on');
  return logout;
}

/** Ends it and holds the node to a second; a client may take longer to read what is on its way already. */
async function end(session: string): Promise<void> {
  await quickstart.api.sessions.end(session);
  const answered = Date.now();
  const { at, reason } = await logoutOf(session);
  console.log(`ended ${Date.parse(at) - answered} ms after the answer`);
  expect(reason).toBe('ended-by-operator');
  expect(Date.parse(at) - answered).toBeLessThan(1_000);
}

test('who is there is told with account, source and credential, and gone when it has gone', async () => {
  const byKey = await openSftp(quickstart.contract, { user: 'partner', key: partner.key });
  const session = await sessionOver('ssh');
  expect(session).toMatchObject({
    account: 'partner',
    source: '127.0.0.1',
    proofs: ['credential'],
    credential: expect.stringMatching(/^SHA256:/),
    outdated: false,
    ending: false,
  });
  expect(Date.now() - Date.parse(session.since)).toBeLessThan(60_000);
  await byKey.close();
  await eventually(async () =>
    expect(await quickstart.api.sessions.list({ account: 'partner' })).toEqual([]),
  );
  expect((await logoutOf(session.id)).reason).toBeUndefined();
});

test('an SSH session that is ended', async () => {
  const byPassword = await openSftp(quickstart.contract, { user: 'partner', password: partner.password });
  const { id } = await sessionOver('ssh');
  await end(id);
  await expect(byPassword.works()).rejects.toThrow('the session has ended');
  await bystander.works();
  // It is shown out, not locked out.
  const again = await openSftp(quickstart.contract, { user: 'partner', password: partner.password });
  await again.close();
});

for (const [target, protocol] of [
  ['ftp', 'ftp'],
  ['https', 'http'],
] as const) {
  test(`a transfer over ${target} that is ended`, async () => {
    const file = join(temporaryFolder(), 'part.bin');
    const slow: RunningProcess = startCurl(
      quickstart.contract,
      target,
      'big.bin',
      { user: 'partner', certificate: partner.certificate },
      ['--limit-rate', '4M', '-o', file],
    );
    await eventually(async () => expect((await stat(file)).size).toBeGreaterThan(0));
    const session = await sessionOver(protocol);
    expect(session).toMatchObject({ certificate: partner.certificateId });
    await end(session.id);
    expect(await slow.exited).not.toBe(0);
    await bystander.works();
  });
}
