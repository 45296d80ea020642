import type { Server } from '@sallyport/model';
import type { ServerFacts } from '@sallyport/policy';

/** What a login decision needs to know of a server. */
export const serverFacts = (server: Server): ServerFacts => ({
  protocol: server.protocol,
  state: server.state,
  clientCertificate: server.clientCertificate,
  clientPassword: server.protocol === 'ssh' ? server.clientPassword : 'default',
});
