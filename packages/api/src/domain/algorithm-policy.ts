import { FaultError, refuseField, unwrap } from '@sallyport/faults';
import {
  type AlgorithmPolicy,
  builtInAlgorithmPolicies,
  type Server,
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

/**
 * Throws FaultError `policy-refused` where a server would be left without a host key that the policy lets sign.
 *
 * @param pointer field of the request that is to blame
 */
export async function requireSigningKey(
  queries: Queries,
  server: Server,
  policy: AlgorithmPolicy,
  pointer: string,
): Promise<void> {
  if (server.protocol !== 'ssh' || server.certificates.length === 0) return;
  const keys = await serverHostKeys(queries, server.certificates);
  const signs = keys.some(({ type }) =>
    sshSignatureAlgorithms[type].some((name) => policy.ssh.hostKeys.includes(name)),
  );
  if (!signs) {
    const types = [...new Set(keys.map(({ type }) => type))].join(', ');
    unwrap(
      refuseField(
        'policy-refused',
        pointer,
        `algorithm policy ${policy.name} lets no host key of server ${server.name} (${types}) sign`,
      ),
    );
  }
}

/** Throws FaultError where the server's algorithm policy is none, or does not fit its host keys. */
export async function checkAlgorithmPolicy(queries: Queries, server: Server): Promise<void> {
  const policy = (await allAlgorithmPolicies(queries)).find(({ name }) => name === server.algorithmPolicy);
  if (!policy) {
    unwrap(refuseField('invalid-request', '/algorithmPolicy', 'there is no such algorithm policy'));
  } else {
    await requireSigningKey(queries, server, policy, '/algorithmPolicy');
  }
}
