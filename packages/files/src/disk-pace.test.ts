import { expect, test } from 'vitest';
import { DiskPace } from './disk-pace.ts';

function pace() {
  let clock = 1_000;
  const watched = new DiskPace(() => clock);
  return {
    watched,
    pass: (ms: number) => {
      clock += ms;
    },
    call: (ms: number) =>
      watched.time(() => {
        clock += ms;
        return 'done';
      }),
  };
}

test('prompt calls stay prompt, however many there are', () => {
  const { watched, call } = pace();
  for (let made = 0; made < 100_000; made++) expect(call(0.1)).toBe('done');
  expect(watched.isPrompt).toBe(true);
});

test('late calls end them for a while', () => {
  const { watched, call, pass } = pace();
  for (let made = 0; made < 5; made++) call(10);
  expect(watched.isPrompt).toBe(true);
  call(10);
  expect(watched.isPrompt).toBe(false);
  pass(4_999);
  expect(watched.isPrompt).toBe(false);
  pass(1);
  expect(watched.isPrompt).toBe(true);
});

test('one that is late now and then is forgiven', () => {
  const { watched, call, pass } = pace();
  for (let made = 0; made < 1_000; made++) {
    call(4);
    pass(20);
  }
  expect(watched.isPrompt).toBe(true);
});

test('one that throws counts as well', () => {
  const { watched, call } = pace();
  expect(() =>
    watched.time(() => {
      call(60);
      throw new Error('EIO');
    }),
  ).toThrow('EIO');
  expect(watched.isPrompt).toBe(false);
});
