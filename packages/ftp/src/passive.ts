import { type Reply, reply } from './reply.ts';

/** Where a data connection is awaited. */
export type PassiveEndpoint = {
  readonly form: 'PASV' | 'EPSV';
  /** IPv4 address to advertise; EPSV names none. */
  readonly address: string;
  readonly port: number;
};

/** The answer to PASV (RFC 959 section 5.4) or to EPSV (RFC 2428 section 3). */
export function passiveReply({ form, address, port }: PassiveEndpoint): Reply {
  if (form === 'EPSV') return reply(229, `Entering Extended Passive Mode (|||${port}|)`);
  const numbers = [...address.split('.'), port >> 8, port & 0xff];
  return reply(227, `Entering Passive Mode (${numbers.join(',')})`);
}
