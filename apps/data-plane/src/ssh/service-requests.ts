import type { Protocol } from './ssh2-internals.ts';

/** Times that a client may ask for a service: each step of a login of paramiko's is one. */
const maxServiceRequests = 20;

/**
 * Lets a client ask for the authentication service again before the next step of its login, as RFC 4253 section 10 does
 * not forbid and OpenSSH's server allows: ssh2 would disconnect it.
 */
export function repeatServiceRequests(protocol: Protocol, authenticated: () => boolean): void {
  const first = protocol._handlers.SERVICE_REQUEST;
  let accepted = 0;
  protocol._handlers.SERVICE_REQUEST = (self, service) => {
    const again = service === 'ssh-userauth' && !authenticated() && accepted > 0;
    if (again && accepted < maxServiceRequests) protocol.serviceAccept(service);
    else first(self, service);
    accepted++;
  };
}
