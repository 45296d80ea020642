import { ok } from '@sallyport/faults';
import { loginSettings, loginSettingsPatch } from '@sallyport/model';
import { readPolicyDocument, updatePolicyDocument } from '@sallyport/store';
import { z } from 'zod';
import { requireZones } from '../caller.ts';
import { checkEveryZone } from '../domain/check-every-zone.ts';
import { operation } from '../operation.ts';
import { changed, commitResource, requireVersion, requireWritten } from './answers.ts';

const settingsAnswer = loginSettings.extend({ version: z.int() });

export const policyOperations = [
  operation({
    route: 'GET /v1/login-settings',
    summary: 'Show the global login settings',
    answers: settingsAnswer,
    async run(deps) {
      const { body, version } = await readPolicyDocument(deps.store.queries, 'login-settings');
      return ok({ body: { ...body, version }, version });
    },
  }),
  operation({
    route: 'PATCH /v1/login-settings',
    summary: 'Change the global login settings',
    body: loginSettingsPatch,
    answers: settingsAnswer.extend(changed),
    precondition: 'if-match',
    async run(deps, { body, caller, expectedVersion }) {
      requireZones(caller, 'all');
      return commitResource(deps, caller, async (change) => {
        const current = await readPolicyDocument(change.queries, 'login-settings');
        requireVersion(current, expectedVersion);
        const next = loginSettings.parse({ ...current.body, ...body });
        await checkEveryZone(change.queries, { loginSettings: next }, '/password');
        requireWritten(await updatePolicyDocument(change.queries, 'login-settings', next, expectedVersion));
        change.audit('login-settings.change', 'login-settings', { ...body });
        change.touch('all');
        return { ...next, version: expectedVersion + 1 };
      });
    },
  }),
];
