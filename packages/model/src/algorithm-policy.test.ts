import { describe, expect, it } from 'vitest';
import {
  algorithmPolicy,
  algorithmPolicyCreate,
  builtInAlgorithmPolicies,
  modernPolicy,
  unusableAlgorithms,
} from './algorithm-policy.ts';

describe('the built-in policies', () => {
  it.each(builtInAlgorithmPolicies)('$name can be served as it is', (policy) => {
    expect(algorithmPolicy.parse(policy)).toEqual(policy);
    expect(unusableAlgorithms(policy)).toEqual([]);
  });

  it('hold SHA-1, CBC and NIST curves for key exchange back from everyone who does not ask for them', () => {
    const { ssh, tls } = modernPolicy;
    const all = [...Object.values(ssh).flat(), ...tls.suites].join(' ');
    expect(all).not.toMatch(/sha1|ssh-rsa|cbc|_SHA(?!\d)/i);
    expect(ssh.kex.join(' ')).not.toContain('nistp');
    expect(ssh.kex[0]).toBe('mlkem768x25519-sha256');
  });
});

describe('unusableAlgorithms', () => {
  const against = (field: 'kex' | 'ciphers' | 'macs' | 'hostKeys' | 'clientKeys', ...names: string[]) =>
    unusableAlgorithms({ tls: modernPolicy.tls, ssh: { ...modernPolicy.ssh, [field]: names } });

  it.each([
    ['kex', 'diffie-hellman-group-exchange-sha256', /group exchange/],
    ['kex', 'diffie-hellman-group1-sha1', /1024 bits/],
    ['ciphers', '3des-cbc', /64 bits/],
    ['ciphers', 'arcfour256', /RC4/],
    ['macs', 'hmac-sha1-96', /short/],
    ['hostKeys', 'ssh-dss', /DSA/],
    ['clientKeys', 'sk-ssh-ed25519@openssh.com', /hardware/],
    ['kex', 'kex-of-tomorrow', /does not have it/],
    ['ciphers', 'hmac-sha2-256', /does not have it/],
  ] as const)('says of %s %s why it cannot be', (field, name, reason) => {
    expect(against(field, name)).toEqual([
      { pointer: `/ssh/${field}/0`, detail: expect.stringMatching(reason) },
    ]);
  });

  it('finds a name that comes twice, and a version without a suite', () => {
    expect(against('macs', 'hmac-sha2-256', 'hmac-sha2-256')).toMatchObject([{ pointer: '/ssh/macs/1' }]);
    const tls = { ...modernPolicy.tls, suites: ['TLS_AES_128_GCM_SHA256'] };
    expect(unusableAlgorithms({ ...modernPolicy, tls })).toEqual([
      { pointer: '/tls/versions/0', detail: 'no suite of the list is for TLS 1.2' },
    ]);
  });
});

it('a policy that names no list is modern', () => {
  expect(algorithmPolicyCreate.parse({ name: 'mine' })).toMatchObject({
    ssh: modernPolicy.ssh,
    tls: modernPolicy.tls,
  });
});
