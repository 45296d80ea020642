import { toBase64 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { generateKeyPair, parseSshCertificate, signSshCertificate, sshBlobOf } from '@sallyport/pki';
import { expect, test } from 'vitest';
import { judgeSshCertificate } from './ssh-certificate-login.ts';
import { trustView } from './trust-view.ts';
import type { ZoneView } from './zone-view.ts';

const now = Date.parse('2026-06-01T00:00:00Z');

test('the networks of a CA hold for all that it signs', async () => {
  const [ca, holder] = [await generateKeyPair('ed25519'), await generateKeyPair('ed25519')];
  const blob = await signSshCertificate(ca, {
    kind: 'user',
    key: unwrap(sshBlobOf(holder.spki)),
    serial: 1n,
    keyId: 'job',
    principals: ['team'],
    validAfter: new Date(now - 60_000),
    validBefore: new Date(now + 60_000),
    extensions: [],
  });
  const certificate = unwrap(parseSshCertificate(blob));
  const key = toBase64(certificate.ca);
  const view = {
    trust: trustView({
      cas: [],
      sshCas: [{ id: 'crt-team', key, sources: ['10.0.0.0/8', '2001:db8::/32'] }],
    }),
    policy: { loginSettings: { nameCase: 'sensitive' } },
    isRevoked: () => false,
    isSshCertificateRevoked: () => false,
  } as unknown as ZoneView;
  const judge = (source: string) => judgeSshCertificate(certificate, { name: 'team' }, { view, source, now });
  for (const source of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) {
    expect(await judge(source)).toMatchObject({ kind: 'accepted' });
  }
  expect(await judge('192.0.2.1')).toMatchObject({ kind: 'refused', reason: 'source-address' });
});
