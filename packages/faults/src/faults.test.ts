import { describe, expect, it, test } from 'vitest';
import { faultsMarkdown } from '../fixture/markdown.ts';
import { type FaultCode, FaultError, faults, ok, refuse, refuseField, unwrap } from './faults.ts';

const rows = Object.entries(faults).map(([code, row]) => ({ code: code as FaultCode, ...row }));

describe('the table', () => {
  test.each(rows)('$code makes sense on every wire', ({ code, http, sftp, ftp, retry, text }) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(http).toBeGreaterThanOrEqual(400);
    expect(http).toBeLessThanOrEqual(599);
    // draft-ietf-secsh-filexfer-02 section 7: an error that version 3 knows; 6 and 7 are for clients.
    expect([2, 3, 4, 5, 8]).toContain(sftp);
    // RFC 959 section 4.2: negative, transient or permanent.
    expect(String(ftp)).toMatch(/^[45][0-5]\d$/);
    // What may be repeated is said by codes that say so.
    if (retry === 'never') expect([429, 503, 507]).not.toContain(http);
    expect(text).toMatch(/^[A-Z].*\.$/);
    expect(text.length).toBeLessThanOrEqual(100);
    expect(text).not.toMatch(/[\r\n]/);
  });

  it('says each thing once', () => {
    expect(new Set(rows.map(({ text }) => text)).size).toBe(rows.length);
  });

  it('tells a login that failed nothing but that', () => {
    expect(faults['login-refused'].text).toBe('Login incorrect.');
    expect(rows.filter(({ code }) => code.startsWith('login-'))).toHaveLength(1);
  });

  it('answers what may not be done and what is not there apart', () => {
    expect(faults['file-not-found']).toMatchObject({ http: 404, sftp: 2, ftp: 550 });
    expect(faults['permission-denied']).toMatchObject({ http: 403, sftp: 3, ftp: 550 });
    expect(faults['operation-unsupported']).toMatchObject({ http: 501, sftp: 8, ftp: 502 });
  });

  // `npx vitest run packages/faults -u` writes it anew.
  it('is what docs/faults.md says', async () => {
    await expect(faultsMarkdown()).toMatchFileSnapshot('../../../docs/faults.md');
  });
});

describe('results', () => {
  it('are a value or a fault', () => {
    expect(ok(1)).toEqual({ ok: true, value: 1 });
    expect(refuse('not-found')).toEqual({ ok: false, fault: { code: 'not-found' } });
    expect(refuse('in-use', 'why', { usedBy: ['server:a'] })).toEqual({
      ok: false,
      fault: { code: 'in-use', detail: 'why', usedBy: ['server:a'] },
    });
    expect(refuseField('invalid-request', '/name', 'no')).toEqual({
      ok: false,
      fault: { code: 'invalid-request', detail: 'no', fields: [{ pointer: '/name', detail: 'no' }] },
    });
  });

  it('unwrap to the value or throw the fault', () => {
    expect(unwrap(ok('value'))).toBe('value');
    let caught: unknown;
    try {
      unwrap(refuse('not-found', 'zone x'));
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(FaultError);
    expect(caught).toMatchObject({ name: 'FaultError', message: 'zone x', fault: { code: 'not-found' } });
  });

  it('carry the public text where there is no detail, and what caused them', () => {
    const cause = new Error('below');
    const error = new FaultError({ code: 'internal' }, { cause });
    expect(error.message).toBe(faults.internal.text);
    expect(error.cause).toBe(cause);
  });
});
