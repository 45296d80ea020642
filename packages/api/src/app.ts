import { OpenAPIHono } from '@hono/zod-openapi';
import { FaultError } from '@sallyport/faults';
import type { Dependencies } from './dependencies.ts';
import { operations } from './operations.ts';
import { problemResponse } from './problem.ts';
import { register } from './register.ts';

/**
 * The control plane as one Hono app, the same on Node, workerd and Deno: every route of the access table and the
 * OpenAPI 3.1 document at `/v1/openapi.json`.
 */
export function createApi(deps: Dependencies): OpenAPIHono {
  const app = new OpenAPIHono();
  for (const declared of operations) register(app, deps, declared);
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'API token, `sly_…`',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'node', {
    type: 'apiKey',
    in: 'header',
    name: 'signature',
    description: 'HTTP message signature of an enrolled node (RFC 9421)',
  });
  app.doc31('/v1/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Sallyport control plane', version: '1' },
  });
  app.notFound((context) => {
    const allowed = methodsOf(context.req.path);
    return allowed.length === 0
      ? problemResponse({ code: 'not-found' })
      : problemResponse({ code: 'method-not-allowed' }, { allow: allowed.join(', ') });
  });
  app.onError((error) => {
    if (error instanceof FaultError) {
      if (error.fault.code === 'internal') deps.log(error.message, error.cause ?? error);
      return problemResponse(error.fault);
    }
    deps.log('unexpected error in the API', error);
    return problemResponse({ code: 'internal' });
  });
  return app;
}

/** Methods that a path takes; none where there is no such resource. */
function methodsOf(path: string): string[] {
  const steps = path.split('/');
  return operations.flatMap(({ route }) => {
    const [method = '', pattern = ''] = route.split(' ');
    const wanted = pattern.split('/');
    const fits =
      wanted.length === steps.length &&
      wanted.every((step, index) => step.startsWith('{') || step === steps[index]);
    return fits ? [method] : [];
  });
}
