import { expect, test } from 'vitest';
import { expectProblem, type Json, type World } from '../world.ts';

const methods = ['get', 'post', 'patch', 'delete', 'put'];

/** The OpenAPI document, and that the control plane keeps what it says of who may call what. */
/** What is as it is until it is gone has no version to name. */
const unversioned = ['DELETE /v1/tokens/{id}', 'DELETE /v1/lockouts/{id}'];

export function documentCases({ call, token }: World): void {
  const operations = async (): Promise<{ route: string; operation: Json }[]> => {
    const { body } = await call('GET /v1/openapi.json', { token: null });
    return Object.entries<Json>(body.paths).flatMap(([path, item]) =>
      Object.entries<Json>(item)
        .filter(([method]) => methods.includes(method))
        .map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
    );
  };
  const concrete = (route: string) => route.replace('{digest}', 'a'.repeat(64)).replace(/\{\w+\}/g, '1');

  test('OpenAPI 3.1: every operation has answers, security and all its path parameters; every reference leads somewhere', async () => {
    const { body, status } = await call('GET /v1/openapi.json', { token: null });
    expect(status).toBe(200);
    expect(body).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./), info: { version: '1' } });
    const listed = await operations();
    expect(listed.length).toBeGreaterThan(40);
    for (const { route, operation } of listed) {
      expect(operation.summary, route).toEqual(expect.any(String));
      const declared = (operation.parameters ?? []).filter((each: Json) => each.in === 'path');
      const named = declared.map((each: Json) => `{${each.name}}`).sort();
      expect(named, route).toEqual((route.match(/\{\w+\}/g) ?? []).sort());
      expect(operation.security, route).toEqual(expect.any(Array));
      for (const [status, answer] of Object.entries<Json>(operation.responses)) {
        expect(status, route).toMatch(/^(?:20[012]|default)$/);
        expect(answer.description, route).toEqual(expect.any(String));
        expect(
          Object.values<Json>(answer.content).every((each) => each.schema),
          route,
        ).toBe(true);
      }
      expect(Object.keys(operation.responses), route).toContain('default');
      if (/^(?:PATCH|DELETE)/.test(route) && !unversioned.includes(route)) {
        expect(
          operation.parameters.map((each: Json) => each.name.toLowerCase()),
          route,
        ).toContain('if-match');
      }
    }
    for (const [, name] of JSON.stringify(body).matchAll(/"\$ref":"([^"]+)"/g)) {
      const found = (name ?? '')
        .slice(2)
        .split('/')
        .reduce((at: Json, step: string) => at?.[step], body);
      expect(found, name).toBeDefined();
    }
    for (const { operation } of listed) {
      for (const requirement of operation.security) {
        expect(body.components.securitySchemes).toHaveProperty(Object.keys(requirement));
      }
    }
  });

  test('every operation is there, and refuses who shows nothing', async () => {
    for (const { route, operation } of await operations()) {
      const answer = await call(concrete(route), { token: null });
      const [scheme] = operation.security.flatMap((requirement: Json) => Object.keys(requirement));
      if (scheme === 'bearer') expectProblem(answer, 401, 'unauthenticated');
      else if (scheme === 'node') expectProblem(answer, 401, 'node-signature-invalid');
      else expect([200, 400, 415, 422], route).toContain(answer.status);
    }
  });

  test('every operation refuses a token with every scope but the one it needs, and looks no further', async () => {
    const bearers = (await operations()).flatMap(({ route, operation }) =>
      operation.security.flatMap((each: Json) =>
        each.bearer ? [{ route, scope: each.bearer[0] as string }] : [],
      ),
    );
    const scopes = [...new Set(bearers.map(({ scope }) => scope))];
    const others = [...scopes, 'keys:export', 'nodes:approve', 'policy:publish', 'break-glass'];
    for (const scope of scopes) {
      const lacking = await token(others.filter((each) => each !== scope));
      const holding = await token([scope]);
      for (const { route } of bearers.filter((each) => each.scope === scope)) {
        expectProblem(await call(concrete(route), { token: lacking }), 403, 'forbidden');
        expect((await call(concrete(route), { token: holding })).body?.detail, route).not.toBe(
          `needs the scope ${scope}`,
        );
      }
    }
  });
}
