import { copyOf, toBase64, utf8 } from '@sallyport/bytes';
import { unwrap } from '@sallyport/faults';
import { createCa, parseCertificate } from '@sallyport/pki';
import { expect, test } from 'vitest';
import { trustView } from './trust-view.ts';

const day = 86_400_000;
const now = Date.parse('2026-06-01T00:00:00Z');
const validity = { notBefore: new Date(now - day), notAfter: new Date(now + 10 * day) };

test('a CA that was retired vouches until its end, by the clock, and no moment longer', async () => {
  const make = async () =>
    unwrap(
      parseCertificate((await createCa({ commonName: 'CA', keyType: 'ed25519', ...validity })).certificate),
    );
  const [kept, retired] = [await make(), await make()];
  const trustedUntil = new Date(now + day).toISOString();
  const key = toBase64(copyOf(utf8('key')));
  const trust = trustView({
    cas: [
      { id: 'kept', der: toBase64(kept.der), advertise: true },
      { id: 'retired', der: toBase64(retired.der), advertise: true, trustedUntil },
    ],
    sshCas: [{ id: 'retired', key, trustedUntil }],
  });
  const at = (time: number) =>
    trust
      .anchorsAt(time)
      .named(kept.subjectDer)
      .map(({ sha256 }) => sha256);
  expect(at(now)).toEqual([kept.sha256, retired.sha256]);
  expect(trust.sshCasAt(now)).toMatchObject([{ id: 'retired', key: utf8('key') }]);
  expect(at(now + day - 1)).toHaveLength(2);
  expect(at(now + day)).toEqual([kept.sha256]);
  expect(trust.sshCasAt(now + day)).toEqual([]);
});
