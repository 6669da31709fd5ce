import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Queue } from "../../src/tape/queue.ts";

describe("a queue is a list whose items keep their positions", () => {
  test("whatever is pushed and shifted", () => {
    const bursts = fc.array(fc.tuple(fc.nat(90), fc.nat(90)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(bursts, fc.integer({ min: -5, max: 100 }), (counts, base) => {
        const queue = new Queue<number>(base);
        // The item at a position is a number of its own; `first` and `last` bound those that are
        // there.
        const item = (position: number): number => 1000 + position;
        let first = base;
        let last = base;
        for (const [pushes, shifts] of counts) {
          for (let i = 0; i < pushes; i++) queue.push(item(last++));
          for (let i = 0; i < shifts && first < last; i++)
            expect(queue.shift()).toBe(item(first++));
          expect([queue.base, queue.end, queue.length]).toEqual([first, last, last - first]);
          const there = Array.from({ length: last - first }, (_, i) => item(first + i));
          expect([...queue]).toEqual(there);
          expect(there.map((_, i) => queue.at(first + i))).toEqual(there);
        }
      }),
    );
  });

  test("from 0 unless it is told where", () => {
    const queue = new Queue<string>();
    queue.push("first");
    expect([queue.base, queue.at(0), queue.end]).toEqual([0, "first", 1]);
  });
});
