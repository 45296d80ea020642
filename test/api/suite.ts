import { afterAll, beforeAll, describe } from 'vitest';
import { accountCases } from './cases/accounts.ts';
import { algorithmPolicyCases } from './cases/algorithm-policies.ts';
import { auditCases } from './cases/audit.ts';
import { certificateAuthorityCases } from './cases/certificate-authorities.ts';
import { certificateRequestCases } from './cases/certificate-requests.ts';
import { certificateSigningCases } from './cases/certificate-signing.ts';
import { certificateCases } from './cases/certificates.ts';
import { crlCases } from './cases/crls.ts';
import { documentCases } from './cases/documents.ts';
import { hostKeyCases } from './cases/host-keys.ts';
import { inventoryCases } from './cases/inventory.ts';
import { keyFileCases } from './cases/key-files.ts';
import { lockoutCases } from './cases/lockouts.ts';
import { nodeCases } from './cases/nodes.ts';
import { policyCases } from './cases/policy.ts';
import { publicationCases } from './cases/publication.ts';
import { requestCases } from './cases/requests.ts';
import { revocationCases } from './cases/revocations.ts';
import { secondFactorCases } from './cases/second-factors.ts';
import { serverCases } from './cases/servers.ts';
import { sessionCases } from './cases/sessions.ts';
import { sshCertificateCases } from './cases/ssh-certificates.ts';
import { tokenCases } from './cases/tokens.ts';
import { zoneCases } from './cases/zones.ts';
import { type ControlPlaneUnderTest, createWorld, type World } from './world.ts';

const groups: Readonly<Record<string, (world: World) => void>> = {
  requests: requestCases,
  'OpenAPI and access': documentCases,
  'revocation lists': crlCases,
  revocations: revocationCases,
  zones: zoneCases,
  servers: serverCases,
  certificates: certificateCases,
  'key files': keyFileCases,
  inventory: inventoryCases,
  'certificate authorities': certificateAuthorityCases,
  'certificate requests': certificateRequestCases,
  'signing of requests': certificateSigningCases,
  'OpenSSH certificates': sshCertificateCases,
  accounts: accountCases,
  'second factors': secondFactorCases,
  policy: policyCases,
  'algorithm policies': algorithmPolicyCases,
  'host keys': hostKeyCases,
  tokens: tokenCases,
  nodes: nodeCases,
  sessions: sessionCases,
  'lock-outs': lockoutCases,
  publication: publicationCases,
  audit: auditCases,
};

/**
 * Groups that share an installation. Each test has zones of its own and every change of trust has all of them published,
 * so one installation for all would cost the square of their number.
 */
const chapters = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / chapterSize) }, (_, at) =>
    all.slice(at * chapterSize, (at + 1) * chapterSize),
  );
const chapterSize = 4;

/**
 * What the control plane promises over HTTP, the same on every runtime.
 *
 * @param start makes a fresh installation and serves it; where the runtime is missing it must reject
 */
export function apiSuite(runtime: string, start: () => Promise<ControlPlaneUnderTest>): void {
  describe(`the API on ${runtime}`, () => {
    for (const chapter of chapters(Object.entries(groups))) {
      describe(chapter.map(([name]) => name).join(', '), () => {
        let running: ControlPlaneUnderTest | undefined;
        const world = createWorld(() => {
          if (!running) throw new Error(`${runtime} is not running`);
          return running;
        });
        beforeAll(async () => {
          running = await start();
        });
        afterAll(() => running?.stop());
        for (const [name, cases] of chapter) describe(name, () => cases(world));
      });
    }
  });
}
