import { once } from 'node:events';
import { connect } from 'node:http2';
import { beforeAll, describe, expect, it } from 'vitest';
import { ask, cookieOf, form, signIn } from '../fixture/client.ts';
import { type Certificates, makeCertificates, openStand, type Stand } from '../fixture/stand.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

async function runningStand(change: Parameters<Stand['apply']>[0] = {}): Promise<Stand> {
  const stand = await openStand(certificates);
  await stand.apply(change);
  return stand;
}

/** Posts these forms at once over one connection. @returns their answers as status and cookie */
async function postTogether(
  stand: Stand,
  path: string,
  forms: readonly Record<string, string>[],
  headers: Record<string, string> = {},
): Promise<{ status: number; cookie: string }[]> {
  const client = connect(stand.url(), { ca: certificates.ca.pem });
  client.on('error', () => {});
  try {
    return await Promise.all(
      forms.map(async (fields) => {
        const stream = client.request({ ':method': 'POST', ':path': path, ...headers });
        stream.on('error', () => {});
        stream.end(new URLSearchParams(fields).toString());
        const [answered] = (await once(stream, 'response')) as [Record<string, string | string[]>];
        const cookies = [answered['set-cookie'] ?? []].flat();
        stream.resume();
        return { status: Number(answered[':status']), cookie: cookies[0]?.split(';')[0] ?? '' };
      }),
    );
  } finally {
    client.destroy();
  }
}

const careful = { user: 'careful', password: 'careful', to: '/' };
const passwordOf = (stand: Stand, fields: Record<string, string> = careful) =>
  ask(stand, certificates, '/.sallyport/sign-in', form(fields));
const codeOf = (stand: Stand, cookie: string, code: string) =>
  ask(stand, certificates, '/.sallyport/second-factor', {
    ...form({ code, to: '/' }),
    headers: { ...form({}).headers, cookie },
  });

describe('a sign-in', () => {
  it('asks for the second factor, and takes it with the cookie of the password alone', async () => {
    await using stand = await runningStand();
    const step = await passwordOf(stand);
    expect([step.status, step.text.includes('name="code"')]).toEqual([200, true]);
    expect((await codeOf(stand, '', '123456')).status).toBe(401);
    expect((await codeOf(stand, cookieOf(step), '000000')).status).toBe(401);
    const signedIn = await codeOf(stand, cookieOf(step), '123456');
    expect([signedIn.status, cookieOf(signedIn).startsWith('__Host-sallyport=')]).toEqual([303, true]);
    expect((await codeOf(stand, cookieOf(step), '123456')).status).toBe(401);
  });

  it('is judged one after the other, so that many at once are no more than there may be', async () => {
    await using stand = await runningStand({ limits: { maxAuthAttempts: 3 } });
    const wrong = Array.from({ length: 20 }, () => ({ user: 'acme', password: 'no', to: '/' }));
    const answers = await postTogether(stand, '/.sallyport/sign-in', wrong);
    expect(answers.every(({ status }) => status === 401)).toBe(true);
    expect(stand.desk.asked).toHaveLength(3);
  });

  it('takes a few codes and no more, though they come together', async () => {
    await using stand = await runningStand({ limits: { maxAuthAttempts: 100 } });
    const cookie = cookieOf(await passwordOf(stand));
    const codes = [...Array.from({ length: 10 }, () => '000000'), '123456'].map((code) => ({
      code,
      to: '/',
    }));
    const answers = await postTogether(stand, '/.sallyport/second-factor', codes, { cookie });
    expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 401));
    expect(stand.desk.asked).toHaveLength(1 + 5);
  });

  it('takes the places of its own name alone while it waits for codes', async () => {
    await using stand = await runningStand();
    const first = cookieOf(await passwordOf(stand));
    const last = [];
    for (let n = 0; n < 5; n++) last.push(cookieOf(await passwordOf(stand)));
    expect((await codeOf(stand, first, '123456')).status).toBe(401);
    for (const cookie of last) expect((await codeOf(stand, cookie, '123456')).status).toBe(303);
  });

  it('takes no code over a connection with another certificate than its password came by', async () => {
    await using stand = await runningStand({ clientCertificate: 'optional' });
    const posted = '/.sallyport/sign-in';
    const step = await stand.curl(
      posted,
      ...['--cert', stand.file('alice.pem'), '-d', 'user=careful&password=careful'],
    );
    expect(step.status).toBe(200);
    const cookie = step.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await codeOf(stand, cookie, '123456')).status).toBe(401);
  });

  it('by a certificate is begun by pages that somebody opens, and by none that another site embeds', async () => {
    await using stand = await runningStand({ clientCertificate: 'optional' });
    const get = (mode: string, dest: string) =>
      stand.curl(
        '/',
        ...['--cert', stand.file('alice.pem'), '-H', 'Accept: text/html'],
        ...['-H', `Sec-Fetch-Mode: ${mode}`, '-H', `Sec-Fetch-Dest: ${dest}`],
      );
    expect((await get('navigate', 'document')).headers.has('set-cookie')).toBe(true);
    expect((await get('navigate', 'iframe')).headers.has('set-cookie')).toBe(false);
    expect((await get('no-cors', 'empty')).headers.has('set-cookie')).toBe(false);
  });

  it('is ended by its own page alone', async () => {
    await using stand = await runningStand();
    const { cookie } = await signIn(stand, certificates);
    const out = await ask(stand, certificates, '/.sallyport/sign-out', {
      ...form({}),
      headers: { ...form({}).headers, cookie },
    });
    expect(out.status).toBe(403);
    expect(stand.desk.sessions[0]?.closed).toBe(0);
  });
});
