import { expect, test } from 'vitest';
import { repeatServiceRequests } from './service-requests.ts';
import type { Protocol } from './ssh2-internals.ts';

function stage() {
  const log: string[] = [];
  let state: 'stranger' | 'known' = 'stranger';
  const protocol = {
    _handlers: { SERVICE_REQUEST: (_: Protocol, service: string) => void log.push(`ssh2 ${service}`) },
    serviceAccept: (service: string) => void log.push(`accept ${service}`),
  } as unknown as Protocol;
  repeatServiceRequests(protocol, () => state === 'known');
  return {
    log,
    ask: (service = 'ssh-userauth') => protocol._handlers.SERVICE_REQUEST(protocol, service),
    logIn: () => {
      state = 'known';
    },
  };
}

test('the first request is ssh2’s, later ones of a login are accepted too', () => {
  const { log, ask } = stage();
  for (let n = 0; n < 3; n++) ask();
  expect(log).toEqual(['ssh2 ssh-userauth', 'accept ssh-userauth', 'accept ssh-userauth']);
});

test('another service, a login that is over, and no end of requests are left to ssh2, which disconnects', () => {
  const other = stage();
  other.ask();
  other.ask('ssh-connection');
  expect(other.log.at(-1)).toBe('ssh2 ssh-connection');

  const over = stage();
  over.ask();
  over.logIn();
  over.ask();
  expect(over.log.at(-1)).toBe('ssh2 ssh-userauth');

  const endless = stage();
  for (let n = 0; n < 50; n++) endless.ask();
  expect(endless.log.filter((line) => line.startsWith('accept'))).toHaveLength(19);
});
