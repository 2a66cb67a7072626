import * as fc from 'fast-check';
import { Heap } from './heap.js';
import { Roster } from './roster.js';

interface Item {
  key: number;
  heapIndex: number;
  rosterNumber: number;
  bytes: number;
}

const anItem = fc.nat({ max: 20 }).map((key): Item => ({ key, heapIndex: -1, rosterNumber: 0, bytes: 0 }));

describe('A heap', () => {
  it('returns the smallest item first, after any pushes, removals and updates', () => {
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 50 }), fc.array(fc.nat(), { maxLength: 50 }), (items, picks) => {
        const heap = new Heap<Item>((a, b) => a.key < b.key);
        for (const item of items) heap.push(item);
        let left = [...items];
        for (const pick of picks) {
          const item = left[pick % Math.max(left.length, 1)];
          if (!item) break;
          if (pick % 2) {
            heap.remove(item);
            left = left.filter((other) => other !== item);
          } else {
            item.key = pick % 23;
            heap.update(item);
          }
        }
        const drained: number[] = [];
        for (let next = heap.peek(); next; next = heap.peek()) {
          heap.remove(next);
          drained.push(next.key);
        }
        expect(drained).toEqual(left.map(({ key }) => key).toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('A roster', () => {
  it('keeps the order of arrival, its size and its oldest item after removals', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('add' as const), fc.nat()), { maxLength: 300 }), (steps) => {
        const roster = new Roster<Item>();
        let model: Item[] = [];
        let number = 0;
        for (const step of steps) {
          if (step === 'add') {
            const item = { key: 0, heapIndex: 0, rosterNumber: 0, bytes: 0 };
            roster.append(item, ++number);
            model.push(item);
          } else if (model.length > 0) {
            const leaver = model[step % model.length] as Item;
            roster.remove(leaver);
            model = model.filter((item) => item !== leaver);
            expect([...roster.before(leaver.rosterNumber)]).toEqual(
              model.filter(({ rosterNumber }) => rosterNumber < leaver.rosterNumber).toReversed(),
            );
          }
          expect(roster.size).toBe(model.length);
          expect(roster.oldest).toBe(model[0]);
        }
        expect([...roster.before(Infinity)]).toEqual(model.toReversed());
      }),
    );
  });
});
