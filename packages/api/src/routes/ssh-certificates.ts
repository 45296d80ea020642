import { FaultError, ok } from '@sallyport/faults';
import { id, sshCertificate, sshCertificateCreate } from '@sallyport/model';
import {
  findRevokedKey,
  findSshCertificate,
  insertSshCertificate,
  listSshCertificates,
  revokeSshCertificate,
} from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { makeSshCertificate, sshCertificateView } from '../domain/ssh-certificate.ts';
import { operation } from '../operation.ts';
import { asked, changed, commit, found, idParams, page, pageOf, pageQuery } from './answers.ts';
import { requireAuthority } from './certificate-authorities.ts';

const changedCertificate = sshCertificate.extend(changed);

// An OpenSSH certificate opens every account of its principals' names in every zone: it is for those who speak for all.
export const sshCertificateOperations = [
  operation({
    route: 'POST /v1/certificate-authorities/{id}/ssh-certificates',
    summary: 'Sign an OpenSSH user or host certificate',
    params: idParams,
    body: sshCertificateCreate,
    answers: changedCertificate.extend({
      /** Line of the `*-cert.pub` file; it is stored nowhere. */
      certificate: z.string(),
    }),
    status: 201,
    async run(deps, { params, body, caller }) {
      requireZones(caller, 'all');
      const ca = await requireAuthority(deps.store.queries, params.id);
      const { row, line } = await makeSshCertificate(deps, deps.store.queries, ca, body);
      const committed = await commit(deps, caller, async (change) => {
        const still = await requireAuthority(change.queries, ca.id);
        if (still.caState !== 'active' || still.revokedAt !== null) {
          const detail = 'another internal CA became active meanwhile: try again';
          throw new FaultError({ code: 'precondition-failed', detail });
        }
        if (await findRevokedKey(change.queries, row.key.spkiSha256)) {
          throw new FaultError({ code: 'key-revoked' });
        }
        await insertSshCertificate(change.queries, row);
        const { type, serial, keyId, principals, validBefore } = row;
        const { sshFingerprint } = row.key;
        change.audit('ssh-certificate.sign', `ssh-certificate:${row.id}`, {
          ...{ certificateAuthority: ca.alias, type, serial, keyId, principals, validBefore, sshFingerprint },
        });
      });
      if (!committed.ok) return committed;
      const { changeSequence } = committed.value;
      return ok({ body: { ...sshCertificateView(row, deps.now()), certificate: line, changeSequence } });
    },
  }),
  operation({
    route: 'GET /v1/ssh-certificates',
    summary: 'List the OpenSSH certificates that were signed here',
    query: z.strictObject({ ...pageQuery, certificateAuthority: id.optional() }),
    answers: pageOf(sshCertificate),
    async run(deps, { query, caller }) {
      requireZones(caller, 'all');
      const ca = query.certificateAuthority;
      const rows = await listSshCertificates(deps.store.queries, asked(query, caller), ca);
      const list = page(rows, query.limit, (row) => row.id);
      return ok({ body: { ...list, items: list.items.map((row) => sshCertificateView(row, deps.now())) } });
    },
  }),
  operation({
    route: 'GET /v1/ssh-certificates/{id}',
    summary: 'Show what is recorded of an OpenSSH certificate',
    params: idParams,
    answers: sshCertificate,
    async run(deps, { params, caller }) {
      requireZones(caller, 'all');
      const row = found(await findSshCertificate(deps.store.queries, params.id), 'OpenSSH certificate');
      return ok({ body: sshCertificateView(row, deps.now()) });
    },
  }),
  operation({
    route: 'POST /v1/ssh-certificates/{id}/revoke',
    summary: 'Revoke an OpenSSH certificate: live sessions that rest on it end',
    params: idParams,
    answers: changedCertificate,
    async run(deps, { params, caller }) {
      requireZones(caller, 'all');
      const committed = await commit(deps, caller, async (change) => {
        const row = found(await findSshCertificate(change.queries, params.id), 'OpenSSH certificate');
        await revokeSshCertificate(change.queries, row.id, change.at);
        const { keyId, serial } = row;
        change.audit('ssh-certificate.revoke', `ssh-certificate:${row.id}`, { keyId, serial });
        change.touch('all');
        return sshCertificateView({ ...row, revokedAt: row.revokedAt ?? change.at }, deps.now());
      });
      if (!committed.ok) return committed;
      const { value, changeSequence } = committed.value;
      return ok({ body: { ...value, changeSequence } });
    },
  }),
];
