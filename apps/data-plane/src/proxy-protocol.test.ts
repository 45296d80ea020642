import { describe, expect, it } from 'vitest';
import { parseProxyHeader } from './proxy-protocol.ts';

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** A header of version 2. */
function version2(command: number, family: number, rest: Uint8Array): Buffer {
  const head = Buffer.from([0x20 | command, family, 0, 0]);
  head.writeUInt16BE(rest.length, 2);
  return Buffer.concat([signature, head, rest]);
}
const ipv4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0xc0, 0x00, 0, 22]);
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.alloc(16),
  Buffer.from([0x04, 0x00, 0, 22]),
]);

describe('a PROXY protocol header', () => {
  it.each([
    ['PROXY TCP4 203.0.113.7 10.0.0.1 49152 22\r\n', '203.0.113.7', 49_152],
    ['PROXY TCP6 2001:db8::7 2001:db8::1 1024 22\r\n', '2001:db8::7', 1_024],
  ])('of version 1 names the client: %j', (line, address, port) => {
    expect(parseProxyHeader(Buffer.from(`${line}SSH-2.0-x`))).toEqual({
      kind: 'complete',
      bytes: line.length,
      header: { kind: 'proxied', address, port },
    });
  });

  it.each([
    ['IPv4', 0x11, ipv4, '203.0.113.7', 49_152],
    ['IPv6', 0x21, ipv6, '2001:db8:0:0:0:0:0:7', 1_024],
  ])(
    'of version 2 names the client over %s, whatever else comes with it',
    (_, family, rest, address, port) => {
      const extra = Buffer.concat([rest, Buffer.from([4, 0, 1, 0])]);
      const bytes = version2(1, family, extra);
      expect(parseProxyHeader(Buffer.concat([bytes, Buffer.from('x')]))).toEqual({
        kind: 'complete',
        bytes: bytes.length,
        header: { kind: 'proxied', address, port },
      });
      for (let length = 0; length < bytes.length; length++) {
        expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: 'incomplete' });
      }
    },
  );

  it.each([
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN anything at all\r\n')],
    ['a check of its own', version2(0, 0, Buffer.alloc(0))],
    ['no family', version2(1, 0, Buffer.alloc(3))],
  ])('that is %s is the balancer itself', (_, bytes) => {
    expect(parseProxyHeader(bytes)).toMatchObject({ kind: 'complete', header: { kind: 'local' } });
  });

  it.each([
    ['is not there', Buffer.from('SSH-2.0-OpenSSH\r\n')],
    ['is endless', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['has a name in place of an address', Buffer.from('PROXY TCP4 localhost 10.0.0.1 1 2\r\n')],
    ['has an address of the other family', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n')],
    ['has no ports', Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2\r\n')],
    ['has a port that is none', Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 70000 22\r\n')],
    ['has more than it should', Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n')],
    ['is of another version', Buffer.concat([signature, Buffer.from([0x31, 0x11, 0, 12]), ipv4])],
    ['has another command', version2(2, 0x11, ipv4)],
    ['speaks of UDP', version2(1, 0x12, ipv4)],
    ['is too short for its family', version2(1, 0x21, ipv4)],
    ['is too long', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
  ])('that %s is refused', (_, bytes) => {
    expect(parseProxyHeader(bytes)).toEqual({ kind: 'malformed' });
  });

  it('of version 1 waits for its end', () => {
    const line = Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 49152 22\r\n');
    for (let length = 0; length < line.length; length++) {
      expect(parseProxyHeader(line.subarray(0, length))).toEqual({ kind: 'incomplete' });
    }
  });
});
