import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import { crossEntropy, embedding, linear, rng } from "@chronograd/nn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elman, gru, initialParams, lstm, sequential } from "../../src/index.ts";
import { cuts } from "../../src/testing/fast-check.ts";
import { cellTable, checkTruncated } from "../../src/testing.ts";
import { added, type Bug, loss, model, planted, stepsOf } from "./planted.ts";

const only = { stale: "carry", losses: "new", reduction: "sum" } as const;
const steps = stepsOf(11);
const sizes = { input: 2, hidden: 3 };

describe("truncated is right in every mode", () => {
  test.each(cellTable().map((row) => [row.name, row] as const))("%s", (_name, { make, input }) => {
    const given = stepsOf(20).map(({ target }, t) => ({ input: input(rng(t), 2), target }));
    // The output may be a tree, of any columns.
    const lossOf = (output: unknown, target: Tensor) =>
      tree
        .leaves(output)
        .map((y) =>
          y
            .sub(target.mean(-1, { keepDims: true }))
            .square()
            .sum(-1),
        )
        .reduce((sum, each) => sum.add(each));
    const report = checkTruncated(make(), given, { k1: 2, k2: 5, loss: lossOf });
    report.assert();
    expect(report.modes).toHaveLength(24);
    expect(report.steps).toBe(13);
    expect(report.modes[0]!.windows).toBe(7);
  });

  test("as plans", () => {
    const counted = { ...gru(sizes) };
    let steps = 0;
    counted.step = (...given) => {
      steps++;
      return gru(sizes).step(...given);
    };
    const check = (compile: boolean) => {
      steps = 0;
      checkTruncated(counted as unknown as typeof model, stepsOf(20), {
        k1: 2,
        k2: 4,
        loss,
        stale: "carry",
        compile,
        throws: true,
      });
      return steps;
    };
    expect(check(true)).not.toBe(check(false));
  });

  test("for any k1 and k2", () => {
    fc.assert(
      fc.property(cuts({ max: 5 }), fc.integer({ min: 1, max: 9 }), fc.nat(999), (cut, T, seed) => {
        const tiny = elman({ input: 2, hidden: 1 });
        const squared = (y: Tensor) => y.square().mul(3);
        checkTruncated(tiny, stepsOf(T, seed), { ...cut, loss: squared, seed, throws: true });
      }),
      { numRuns: 12 },
    );
  });

  test("symbols, steps without a loss, counts, a given state, a large model, a generator without end", () => {
    const language = sequential({
      embedding: embedding({ input: 5, output: 8 }),
      lstm: lstm({ input: 8, hidden: 8 }),
      head: linear({ input: 8, output: 5 }),
    });
    function* endless() {
      for (let t = 0; ; t++) {
        const symbol = (shift: number) => tensor(Int32Array.of((t * t + shift) % 5, t % 5));
        yield { input: symbol(0), target: { next: symbol(1), t } };
      }
    }
    const random = rng(4);
    const row = () =>
      tensor(
        Float64Array.from({ length: 16 }, () => random.normal()),
        { shape: [2, 8] },
      );
    const report = checkTruncated(language, endless(), {
      k1: 2,
      k2: 3,
      loss: (y, { next, t }) =>
        t % 3 === 1 ? null : { loss: crossEntropy(y, next, { reduction: "none" }), count: 7 },
      params: initialParams(language, rng(1)),
      state: { embedding: {}, lstm: { h: row(), c: row() }, head: {} },
    });
    report.assert();
    // Not every element, but random directions and elements of each parameter.
    expect(report.modes[0]!.cases).toBe(6 * (5 * 8 + 5));
  });
});

/** What the check says of a bug: the mistake it names, for each window that is wrong. */
function kinds(bug: Bug, { k1 = 2, k2 = 4 } = {}): string[] {
  const report = checkTruncated(model, steps, { k1, k2, ...only, loss, windows: planted(bug) });
  expect(report.ok).toBe(false);
  return report.modes[0]!.failures.map(({ kind }) => kind).filter((kind) => kind !== "");
}

const isNew = (t: number, { newFrom }: { readonly newFrom: number }) => (t > newFrom ? 1 : 0);

describe("a planted mistake is found and named", () => {
  test("the windows written out from the definition have none", () => {
    checkTruncated(model, steps, { k1: 2, k2: 4, ...only, loss, windows: planted() }).assert();
  });

  const four = (kind: string) => [kind, kind, kind, kind];
  test.each<[string, Bug, string[]]>([
    ["the boundary is not cut", { cut: () => 0 }, four("not cut")],
    ["the cut is a step early", { cut: ({ start }) => Math.max(0, start - 1) }, four("cut -1")],
    ["the cut is two steps early", { cut: ({ start }) => Math.max(0, start - 2) }, four("cut -2")],
    ["the cut is a step late", { cut: ({ start }) => start + 1 }, four("cut +1")],
    ["the state is cut at every step", { isDetached: () => true }, four("lag 1")],
    [
      "the first new step's weights are constants",
      { isConstant: (t, { newFrom }) => t === newFrom + 1 },
      four("step 1 missing"),
    ],
    [
      "the last old step's weights are constants",
      { isConstant: (t, { newFrom }) => t === newFrom },
      four("step 0 missing"),
    ],
    [
      "today's weights in the overlap",
      { age: (t, { start, index }, k1) => (t > start ? index : Math.ceil(t / k1) - 1) },
      four("today's weights"),
    ],
    ["no update arrives", { age: () => 0 }, four("first weights")],
    [
      "updates arrive late",
      { age: (t, _, k1) => Math.max(0, Math.ceil(t / k1) - 2) },
      four("one update late"),
    ],
    [
      "a mean for a sum",
      { counts: (t, span) => isNew(t, span) / (6 * (span.end - span.newFrom)) },
      four("new mean"),
    ],
    [
      "a mean over steps",
      { counts: (t, span) => isNew(t, span) / (span.end - span.newFrom) },
      four("mean over steps"),
    ],
    ["a third of it", { counts: (t, span) => isNew(t, span) / 3 }, four("factor 1/3")],
    ["the endpoint", { counts: (t, { end }) => (t === end ? 1 : 0) }, four("endpoint sum")],
    ["all losses of the window", { counts: () => 1 }, four("window sum")],
    [
      "a cotangent of the last sweep is left",
      { counts: (t, { newFrom }) => (t >= newFrom ? 1 : 0) },
      four("losses 0 to 0"),
    ],
    [
      "gradients are never cleared",
      { after: (g, before) => (before.length > 0 ? added(g, before.at(-1)!) : g) },
      four("accumulated"),
    ],
    ["zeros", { after: (g) => tree.map(g, (x: Tensor) => x.mul(0)) }, four("zero")],
    ["not a number", { after: (g) => tree.map(g, (x: Tensor) => x.mul(NaN)) }, four("not finite")],
    [
      "two mistakes: the endpoint, and a cut that is early",
      {
        counts: (t, { end }) => (t === end ? 1 : 0),
        cut: ({ start }) => Math.max(0, start - 1),
      },
      ["endpoint sum", "endpoint sum", "endpoint sum, cut -1", "endpoint sum, cut -1"],
    ],
    [
      "one parameter's is too large",
      { after: (g) => ({ ...g, U: g.U.mul(1.5) }) },
      four("factor 1.5, by params.U"),
    ],
    ["something else", { after: (g) => tree.map(g, (x: Tensor) => x.add(1)) }, four("unknown")],
  ])("%s", (_what, bug, expected) => {
    expect(kinds(bug)).toEqual(expected);
  });

  test("for other k1 and k2, down to 1 and 1", () => {
    for (const cut of [
      { k1: 1, k2: 1 },
      { k1: 1, k2: 3 },
      { k1: 3, k2: 3 },
      { k1: 2, k2: 5 },
    ]) {
      expect(new Set(kinds({ cut: ({ start }) => Math.max(0, start - 1) }, cut))).toEqual(
        new Set(["cut -1"]),
      );
    }
  });
});
