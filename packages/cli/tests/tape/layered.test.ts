import fc from "fast-check";
import { expect, test } from "vitest";
import { layered } from "../../src/tape/layered.ts";
import { windowSpans } from "../../src/tape/windows.ts";

/** Graphs whose edges lead from earlier to later nodes. */
const graphs = fc.integer({ min: 1, max: 14 }).chain((count) =>
  fc.record({
    widths: fc.array(fc.integer({ min: 20, max: 120 }), { minLength: count, maxLength: count }),
    sides: fc.array(fc.integer({ min: -1, max: 1 }), { minLength: count, maxLength: count }),
    pairs: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 24 }),
  }),
);

test("edges lead upwards, a rank at a time, and boxes of a rank stand apart", () => {
  fc.assert(
    fc.property(graphs, ({ widths, sides, pairs }) => {
      const nodes = widths.map((width, i) => ({ key: `n${i}`, width, side: sides[i]! }));
      const edges = [
        ...new Set(
          pairs.filter(([a, b]) => a !== b).map(([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`),
        ),
      ].map((pair) => {
        const [a, b] = pair.split(" ");
        return [`n${a}`, `n${b}`] as const;
      });
      const layout = layered(nodes, edges);
      for (const [from, to] of edges) {
        const ranks = layout.route(from, to).map(({ rank }) => rank);
        expect(ranks).toEqual(ranks.map((_, i) => ranks[0]! + i));
        expect(ranks.length).toBeGreaterThan(1);
      }
      const boxes = nodes.map(({ key, width }) => ({ ...layout.at.get(key)!, width }));
      for (const [i, a] of boxes.entries()) {
        expect(a.x - a.width / 2).toBeGreaterThanOrEqual(-1e-6);
        expect(a.x + a.width / 2).toBeLessThanOrEqual(layout.width + 1e-6);
        for (const b of boxes.slice(i + 1)) {
          if (a.rank !== b.rank) continue;
          expect(Math.abs(a.x - b.x)).toBeGreaterThanOrEqual((a.width + b.width) / 2);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("windows are those of the definition: e_j = min(j k1, T), s_j = max(0, e_j - k2)", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 9 }),
      fc.nat(9),
      (T, k1, more) => {
        const k2 = k1 + more;
        const spans = windowSpans(T, k1, k2);
        expect(spans.map(({ number }) => number)).toEqual(spans.map((_, i) => i + 1));
        for (const { number: j, start, newFrom, end } of spans) {
          expect([end, newFrom, start]).toEqual([
            Math.min(j * k1, T),
            (j - 1) * k1,
            Math.max(0, Math.min(j * k1, T) - k2),
          ]);
        }
        expect(spans.at(-1)!.end).toBe(T);
      },
    ),
  );
});
