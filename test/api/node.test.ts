import { startControlPlane } from '@sallyport/control-plane/node';
import { embeddedInstallation } from './installation.ts';
import { apiSuite } from './suite.ts';

apiSuite('Node', async () => {
  const installation = await embeddedInstallation();
  const running = await startControlPlane(installation.environment, { host: '127.0.0.1', port: 0 });
  return { ...installation, url: running.url, stop: running.close };
});
