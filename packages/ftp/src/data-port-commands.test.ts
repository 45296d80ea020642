import { expect, test } from 'vitest';
import { loggedIn, run } from '../fixture/run.ts';

test('PORT and EPRT ask whether the address is the peer’s before anything is agreed', () => {
  const asked = run(loggedIn, 'PORT 192,0,2,1,195,80');
  expect(asked.effects).toEqual([{ kind: 'aim', family: 4, address: '192.0.2.1', port: 50_000 }]);
  expect(asked.state.data).toBe('none');
  expect(run(asked.state, { kind: 'aimed' })).toMatchObject({ codes: [200], state: { data: 'active' } });
  expect(run(asked.state, { kind: 'not-aimed' })).toMatchObject({ codes: [501], state: { data: 'none' } });
  expect(run(loggedIn, 'EPRT |2|2001:db8::1|50000|').last).toMatchObject({ family: 6, port: 50_000 });
  expect(run(asked.state, { kind: 'wrong-family', ours: 1 }).last).toMatchObject({
    reply: { code: 522, lines: ['Network protocol not supported, use (1)'] },
  });
});

test.each([
  ['PORT 192,0,2,1,0,22', 501],
  ['PORT 192.0.2.1', 501],
  ['EPRT |1|192.0.2.1|25|', 501],
  ['EPRT |9|192.0.2.1|50000|', 522],
])('%s is refused with %i', (line, code) => {
  const { codes, kinds } = run(loggedIn, line);
  expect(codes).toEqual([code]);
  expect(kinds).toEqual(['reply']);
});

test('after EPSV ALL nothing but EPSV', () => {
  const { state } = run(loggedIn, 'EPSV ALL');
  expect(run(state, 'PASV', 'PORT 192,0,2,1,195,80', 'EPRT |1|192.0.2.1|50000|').codes).toEqual([
    503, 503, 503,
  ]);
  expect(run(state, 'EPSV').last).toMatchObject({ kind: 'listen' });
});
