import type { Operation } from './operation.ts';
import { accountOperations } from './routes/accounts.ts';
import { algorithmPolicyOperations } from './routes/algorithm-policies.ts';
import { certificateAuthorityOperations } from './routes/certificate-authorities.ts';
import { certificateBulkOperations } from './routes/certificate-bulk.ts';
import { certificateExportOperations } from './routes/certificate-export.ts';
import { certificateReplacementOperations } from './routes/certificate-replacement.ts';
import { certificateRequestOperations } from './routes/certificate-requests.ts';
import { certificateOperations } from './routes/certificates.ts';
import { crlOperations } from './routes/crls.ts';
import { expiryReportOperations } from './routes/expiry-report.ts';
import { hostKeyOperations } from './routes/host-keys.ts';
import { lockoutOperations } from './routes/lockouts.ts';
import { logOperations } from './routes/logs.ts';
import { nodeProtocolOperations } from './routes/node-protocol.ts';
import { nodeOperations } from './routes/nodes.ts';
import { policyOperations } from './routes/policy.ts';
import { policyListOperations } from './routes/policy-lists.ts';
import { revocationOperations } from './routes/revocations.ts';
import { secondFactorOperations } from './routes/second-factors.ts';
import { serverOperations } from './routes/servers.ts';
import { sessionOperations } from './routes/sessions.ts';
import { sshCertificateOperations } from './routes/ssh-certificates.ts';
import { tokenOperations } from './routes/tokens.ts';
import { zoneOperations } from './routes/zones.ts';

/** Every operation of the API. */
export const operations: readonly Operation[] = [
  ...logOperations,
  ...zoneOperations,
  ...serverOperations,
  ...hostKeyOperations,
  ...algorithmPolicyOperations,
  // Fixed paths before those that take an id.
  ...certificateBulkOperations,
  ...expiryReportOperations,
  ...certificateReplacementOperations,
  ...certificateOperations,
  ...certificateExportOperations,
  ...certificateAuthorityOperations,
  ...certificateRequestOperations,
  ...crlOperations,
  ...revocationOperations,
  ...sshCertificateOperations,
  ...accountOperations,
  ...secondFactorOperations,
  ...policyOperations,
  ...policyListOperations,
  ...nodeOperations,
  ...sessionOperations,
  ...lockoutOperations,
  ...tokenOperations,
  ...nodeProtocolOperations,
];
