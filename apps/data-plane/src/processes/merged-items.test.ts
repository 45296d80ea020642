import type { ItemReport } from '@sallyport/model';
import { expect, it } from 'vitest';
import { mergedItems } from './merged-items.ts';

const ack = (item: string): ItemReport => ({ item, result: 'ack' });
const nack = (item: string): ItemReport => ({ item, result: 'nack', fault: 'item-port-in-use' });

it('takes what one process refuses for refused, whichever it is', () => {
  expect(
    mergedItems([
      [ack('a'), ack('b')],
      [ack('a'), nack('b')],
    ]),
  ).toEqual([ack('a'), nack('b')]);
  expect(mergedItems([[nack('a')], [ack('a')], [nack('a')]])).toEqual([nack('a')]);
  expect(mergedItems([])).toEqual([]);
});
