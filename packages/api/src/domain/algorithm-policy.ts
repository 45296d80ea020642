import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import {
  type AlgorithmPolicy,
  builtInAlgorithmPolicies,
  type KeyType,
  type Server,
  servesTls,
  sshSignatureAlgorithms,
  unusableAlgorithms,
} from '@sallyport/model';
import { customAlgorithmPolicies, type Queries } from '@sallyport/store';
import { serverHostKeys } from './host-key-receipts.ts';

/** Every algorithm policy: the built-in ones, then the custom ones. */
export const allAlgorithmPolicies = async (queries: Queries): Promise<AlgorithmPolicy[]> => [
  ...builtInAlgorithmPolicies,
  ...(await customAlgorithmPolicies(queries)),
];

/** Throws FaultError `policy-refused` that names every algorithm which the engines cannot or may not serve. */
export function requireUsable(policy: AlgorithmPolicy): void {
  const fields = unusableAlgorithms(policy);
  if (fields.length > 0) throw new FaultError({ code: 'policy-refused', fields });
}

/** Can a server of that protocol prove itself with such a key under the policy? */
const serves = (protocol: Server['protocol'], type: KeyType, { ssh, tls }: AlgorithmPolicy): boolean =>
  protocol === 'ssh'
    ? sshSignatureAlgorithms[type].some((name) => ssh.hostKeys.includes(name))
    : servesTls(type, tls);

/**
 * Throws FaultError `policy-refused` where a server would be left without a key that the policy lets sign.
 *
 * @param changed what the request changes; its field is to blame
 */
export async function requireSigningKey(
  queries: Queries,
  server: Server,
  policy: AlgorithmPolicy,
  changed: 'server' | 'policy',
): Promise<void> {
  const { protocol } = server;
  if (server.certificates.length === 0) return;
  const keys = await serverHostKeys(queries, server.certificates);
  if (keys.some(({ type }) => serves(protocol, type, policy))) return;
  const types = [...new Set(keys.map(({ type }) => type))].join(', ');
  const field = protocol === 'ssh' ? '/ssh/hostKeys' : '/tls/signatures';
  const which = protocol === 'ssh' ? 'host key' : 'certificate';
  unwrap(
    refuseField(
      'policy-refused',
      changed === 'server' ? '/algorithmPolicy' : field,
      `algorithm policy ${policy.name} lets no ${which} of server ${server.name} (${types}) sign`,
    ),
  );
}

/** Throws FaultError where the server's algorithm policy is none, or does not fit its keys. */
export async function checkAlgorithmPolicy(queries: Queries, server: Server): Promise<void> {
  const policy = (await allAlgorithmPolicies(queries)).find(({ name }) => name === server.algorithmPolicy);
  if (!policy) {
    unwrap(refuseField('invalid-request', '/algorithmPolicy', 'there is no such algorithm policy'));
  } else {
    await requireSigningKey(queries, server, policy, 'server');
  }
}
