// What is read before anybody has logged in: the FTP control connection, a balancer's header, keys and certificates of SSH.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64 } from '@sallyport/bytes';
import { parseProxyHeader } from '@sallyport/data-plane/proxy-protocol';
import { type Fault, refuse } from '@sallyport/faults';
import { type ControlEffect, type ControlEvent, createLineReader, initialState, step } from '@sallyport/ftp';
import { parseAuthorizedKey, parseSshCertificate } from '@sallyport/pki';
import { run, temporaryFolder } from '../support/process.ts';
import { type FuzzTarget, portionsOf } from './target.ts';

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

const dialogues = [
  'USER anna\r\nPASS secret\r\nFEAT\r\nPBSZ 0\r\nPROT P\r\nTYPE I\r\nEPSV\r\nREST 5\r\nRETR /a b\r\nQUIT\r\n',
  'AUTH TLS\r\nUSER anna\r\nPASS x\r\nPASV\r\nMLSD\r\nCWD ../..\r\nSTOR ../../out\r\nRNFR a\r\nRNTO b\r\n',
  'HOST ftp.example\r\nUSER x\r\nPASS \xff\xf4\xff\xf2y\r\nEPRT |1|127.0.0.1|21|\r\nPORT 127,0,0,1,0,21\r\nABOR\r\n',
  'USER a\r\nPASS b\r\nOPTS UTF8 ON\r\nOPTS MLST type;size;\r\nMDTM f\r\nSIZE f\r\nSITE CHMOD 644 f\r\nMFMT 20260101000000 f\r\n',
];

/** What the driver would say to an effect; a file operation finds nothing. */
function answerTo(effect: ControlEffect): ControlEvent | undefined {
  switch (effect.kind) {
    case 'name':
      return { kind: 'login', asked: 'name', outcome: 'continue' };
    case 'password':
      return { kind: 'login', asked: 'password', outcome: 'admitted' };
    case 'secure':
      return { kind: 'secured' };
    case 'operate':
      return { kind: 'operated', command: effect.command, result: refuse('not-found') };
    default:
      return undefined;
  }
}

const isReply = (code: number, text: string): boolean =>
  code >= 100 && code < 700 && !/[\r\0]/.test(text) && text.length < 70_000;

export const ftp = (): FuzzTarget => ({
  name: 'ftp',
  seeds: async () => dialogues.map(bytesOf),
  feed(input, random) {
    const reader = createLineReader();
    const rules = { authTls: 'offered', clearLogin: 'by-policy', maxAuthAttempts: 6 } as const;
    let state = initialState({ ...rules, nameEncoding: 'utf-8' }, 'clear');
    const events: ControlEvent[] = [];
    const takeIn = (): void => {
      for (let event = events.shift(); event; event = events.shift()) {
        const next = step(state, event);
        state = next.state;
        for (const effect of next.effects) {
          if (effect.kind === 'reply' && !isReply(effect.reply.code, JSON.stringify(effect.reply)))
            throw new Error(`no reply of FTP: ${JSON.stringify(effect.reply)}`);
          const answered = answerTo(effect);
          if (answered) events.push(answered);
        }
      }
    };
    for (const portion of portionsOf(input, random)) {
      for (const line of reader.push(portion)) {
        events.push(line.kind === 'line' ? line : { kind: 'bad-line', why: line.kind });
        takeIn();
      }
    }
  },
});

const version2 = Buffer.concat([
  Buffer.from('0d0a0d0a000d0a515549540a', 'hex'),
  Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x12, 0x34, 0, 22]),
]);

export const proxy = (): FuzzTarget => ({
  name: 'proxy',
  seeds: async () => [
    bytesOf('PROXY TCP4 192.0.2.1 192.0.2.2 56324 22\r\nSSH-2.0-x\r\n'),
    bytesOf('PROXY TCP6 2001:db8::1 2001:db8::2 56324 22\r\n'),
    bytesOf('PROXY UNKNOWN\r\n'),
    version2,
  ],
  feed(input) {
    const parsed = parseProxyHeader(Buffer.from(input));
    if (parsed.kind === 'complete' && (parsed.bytes > input.length || parsed.bytes < 1))
      throw new Error(`a header of ${parsed.bytes} of ${input.length} bytes`);
  },
});

/** Keys and certificates by ssh-keygen, as lines of a .pub file. */
async function keyLines(): Promise<string[]> {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  const keygen = async (...args: string[]) => {
    const { code, stderr } = await run('ssh-keygen', ['-q', ...args]);
    if (code !== 0) throw new Error(stderr);
  };
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    await keygen('-t', type, '-N', '', '-f', at(type), '-C', type);
    await keygen(...['-s', at('ed25519'), '-I', 'id', '-n', 'anna,ben', '-V', '+1d'], `${at(type)}.pub`);
  }
  return ['ed25519', 'ecdsa', 'rsa'].flatMap((type) =>
    [`${type}.pub`, `${type}-cert.pub`].map((name) => readFileSync(at(name), 'utf8').trim()),
  );
}

const known = ({ code }: Fault): void => {
  if (code === 'internal') throw new Error('a fault of ours');
};

export const sshKey = (): FuzzTarget => ({
  name: 'ssh-key',
  seeds: async () => {
    const lines = await keyLines();
    return [
      ...lines.map((line) => bytesOf(`from="192.0.2.0/24",expiry-time="20300101" ${line}`)),
      ...lines.map((line) => fromBase64(line.split(' ')[1] as string)),
    ];
  },
  feed(input) {
    const line = parseAuthorizedKey(Buffer.from(input).toString('latin1'));
    if (!line.ok) known(line.fault);
    const certificate = parseSshCertificate(Uint8Array.from(input));
    if (!certificate.ok) known(certificate.fault);
  },
});
