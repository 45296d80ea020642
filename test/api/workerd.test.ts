import { resolve } from 'node:path';
import { startWorkerd } from '../support/workerd.ts';
import { networkedInstallation } from './installation.ts';
import { apiSuite } from './suite.ts';

const entry = resolve(import.meta.dirname, '../../apps/control-plane/src/worker.ts');

apiSuite('workerd', async () => {
  const installation = await networkedInstallation();
  const workerd = await startWorkerd({ entry, bindings: installation.environment });
  return {
    ...installation,
    url: workerd.url,
    stop: async () => {
      await workerd.dispose();
      await installation.close();
    },
  };
});
