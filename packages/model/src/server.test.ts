import { describe, expect, it, test } from 'vitest';
import { server, serverCreate, serverPatch } from './server.ts';

const created = (changes: Record<string, unknown>) =>
  serverCreate.safeParse({ protocol: 'ssh', name: 'a', zone: 'z', port: 22, ...changes });

describe('a new server', () => {
  it('requests certificates on SSH and not elsewhere (design section 3)', () => {
    const modeOf = (protocol: string) => created({ protocol }).data?.clientCertificate;
    expect([modeOf('ssh'), modeOf('ftp'), modeOf('http')]).toEqual(['optional', 'disabled', 'disabled']);
  });

  it('has the defaults of its protocol', () => {
    expect(created({}).data).toMatchObject({
      clientPassword: 'default',
      state: 'running',
      algorithmPolicy: 'modern',
      advertiseClientCas: true,
      ssh: { sftp: true, scp: false },
    });
    expect(created({ protocol: 'ftp' }).data).toMatchObject({
      ftp: {
        plain: false,
        explicitTls: true,
        implicitTls: false,
        tlsSessionReuse: 'preferred',
        closeNotify: 'required',
      },
    });
    expect(created({ protocol: 'http' }).data).toMatchObject({ http: { plain: false, hsts: true } });
  });

  it('has the options of its own protocol alone', () => {
    expect(created({ ftp: {} }).success).toBe(false);
    expect(created({ protocol: 'http', clientPassword: 'disabled' }).success).toBe(false);
    expect(created({ protocol: 'smb' }).success).toBe(false);
    expect(server.safeParse({ protocol: 'ssh' }).success).toBe(false);
  });

  test.each([
    [{ from: 50_000, to: 50_000 }, true],
    [{ from: 50_001, to: 50_000 }, false],
    [{ from: 0, to: 10 }, false],
    [{ from: 1, to: 65_536 }, false],
  ])('takes the passive range %j: %s', (passive, expected) => {
    expect(created({ protocol: 'ftp', ftp: { passive } }).success).toBe(expected);
  });

  test.each([
    ['Welcome.', true],
    ['One\nTwo\r\nThree\tü', true],
    // A bare CR would let a banner pose as another FTP reply to some clients.
    ['One\r230 Logged in', false],
    ['\u001b[2J', false],
    ['\u0007', false],
  ])('takes the banner %j: %s', (banner, expected) => {
    expect(created({ banner }).success).toBe(expected);
  });
});

it('a change leaves alone what it does not name, and takes off what it names null', () => {
  expect(serverPatch.parse({})).toEqual({});
  expect(serverPatch.parse({ banner: null, drainBy: null })).toEqual({ banner: null, drainBy: null });
  expect(serverPatch.safeParse({ protocol: 'ftp' }).success).toBe(false);
  expect(serverPatch.safeParse({ zone: 'other' }).success).toBe(false);
});
