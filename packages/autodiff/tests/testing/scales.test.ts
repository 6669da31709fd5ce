import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, type OpDeclaration, op } from "../../src/extend.ts";
import { Tape, type Tensor, tensor } from "../../src/index.ts";
import { checkGradients, checkTape, functionLaws, hold, testOp } from "../../src/testing.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

/** The sums along an axis, at every element. */
const sums = (x: Tensor, axis: number) => x.sum(axis, { keepDims: true }).add(x.mul(0));

/** The derivative of `x * (sum of its row)`: two terms, and an axis. */
type Rule = (d: Tensor, x: Tensor) => Tensor;
const vjp: Rule = (g, x) => g.mul(sums(x, 1)).add(sums(g.mul(x), 1));
const jvp: Rule = (dx, x) => dx.mul(sums(x, 1)).add(x.mul(sums(dx, 1)));

const mistakes: Readonly<Record<string, { vjp: Rule; jvp: Rule }>> = {
  half: { vjp: (g, x) => vjp(g, x).mul(0.5), jvp: (dx, x) => jvp(dx, x).mul(0.5) },
  "a hundred-thousandth more": {
    vjp: (g, x) => vjp(g, x).mul(1.00001),
    jvp: (dx, x) => jvp(dx, x).mul(1.00001),
  },
  sign: { vjp: (g, x) => vjp(g, x).neg(), jvp: (dx, x) => jvp(dx, x).neg() },
  missing: { vjp: (g) => g.mul(0), jvp: (dx) => dx.mul(0) },
  "missing term": { vjp: (g, x) => g.mul(sums(x, 1)), jvp: (dx, x) => dx.mul(sums(x, 1)) },
  "wrong axis": {
    vjp: (g, x) => g.mul(sums(x, 1)).add(sums(g.mul(x), 0)),
    jvp: (dx, x) => dx.mul(sums(x, 1)).add(x.mul(sums(dx, 0))),
  },
  transposed: { vjp: (g, x) => vjp(g, x).transpose(), jvp: (dx, x) => jvp(dx, x).transpose() },
};

/** `x * (sum of its row)` for matrices [n,n], with rules of one's choice. */
function rowScale(rules: Partial<{ vjp: Rule; jvp: Rule }> = {}) {
  const given = { vjp, jvp, ...rules };
  const declaration: OpDeclaration = {
    name: "rowScale",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward({ memory }, [x], y) {
      const values = memory.views[y.dtype];
      const [from, to] = [x!, y].map((each) => each.pointer / values.BYTES_PER_ELEMENT);
      const n = y.shape[1]!;
      for (let i = 0; i < y.size; i += n) {
        let sum = 0;
        for (let k = i; k < i + n; k++) sum += values[from! + k]!;
        for (let k = i; k < i + n; k++) values[to! + k] = values[from! + k]! * sum;
      }
    },
    residuals: { inputs: "all", output: false },
    vjp: [(g, { inputs }) => given.vjp(g, inputs[0]!)],
    jvp: ([dx], { inputs }) => given.jvp(dx!, inputs[0]!),
    samples: [{ label: "[3,3]", inputs: [{ shape: [3, 3] }], call: ([x]) => mine(x!) }],
  };
  const mine = op(declaration, (x: Tensor) => apply(declaration, [x], undefined));
  return mine;
}

/** Functions of matrices [3,3] that keep moderate numbers moderate and are smooth. */
const links: readonly ((x: Tensor) => Tensor)[] = [
  (x) => x.mul(0.2).tanh().add(x.mul(0.1)),
  (x) => x.sin().add(x.mul(0.3)),
  (x) => x.matmul(tensor(new Float64Array([1, -1, 2, 0.5, 1, 1, -0.3, 0.7, 1]), { shape: [3, 3] })),
  (x) => x.mul(0.3).tanh().softmax(1).add(x),
  (x) => x.mul(0.05).transpose().exp(),
  (x) => x.square().add(1).sqrt().add(x),
];
const chain = fc.array(fc.nat(links.length - 1), { maxLength: 2 });
const elements = fc.array(fc.double({ min: 0.1, max: 2, noNaN: true }), {
  minLength: 9,
  maxLength: 9,
});
/** A composition with the op in the middle, at a scale. */
const cases = fc.record({
  before: chain,
  after: chain,
  x: elements,
  exponent: fc.integer({ min: -30, max: 30 }),
});
const through = (x: Tensor, steps: readonly number[]) =>
  steps.reduce((y, step) => links[step]!(y), x);
const composed =
  (
    mine: (x: Tensor) => Tensor,
    { before, after, exponent }: { before: number[]; after: number[]; exponent: number },
  ) =>
  (x: Tensor) =>
    through(mine(through(x, before)), after).mul(10 ** exponent);
const matrix = (x: readonly number[]) => tensor(Float64Array.from(x), { shape: [3, 3] });

describe("at every scale of the function, from 1e-30 to 1e30", () => {
  // Where a composition is nearly flat by chance, a few derivatives may be too small beside its
  // values to be decided.
  test.each(["full", "directions"] as const)("what is right is found right, mode %s", (mode) => {
    fc.assert(
      fc.property(cases, fc.nat(1000), (drawn, seed) => {
        const report = checkGradients(composed(rowScale(), drawn), matrix(drawn.x), { mode, seed });
        expect(report.mismatches).toEqual([]);
        expect(report.undecided.length).toBeLessThan(0.1 * report.elements);
      }),
      { numRuns: 60 },
    );
  });

  const names = Object.keys(mistakes);
  test.each(
    names.flatMap((name) => (["vjp", "jvp"] as const).map((rule) => [name, rule] as const)),
  )("%s, in the %s, is found wrong, and the op is named", (name, rule) => {
    fc.assert(
      fc.property(cases, fc.constantFrom("full" as const, "directions" as const), (drawn, mode) => {
        const wrong = rowScale({ [rule]: mistakes[name]![rule] });
        const report = checkGradients(composed(wrong, drawn), matrix(drawn.x), { mode });
        expect(report.mismatches.length).toBeGreaterThan(0);
        expect(report.mismatches[0]!.sweep).toBe(rule === "vjp" ? "backward" : "forward");
        expect(report.blame).toMatchObject({ kind: "rule", site: { op: "rowScale" } });
        expect(report.blame!.faults[0]).toMatchObject({ rule, order: 1 });
      }),
      { numRuns: 12 },
    );
  });

  test("wrong second derivatives too, with the op that they are of", () => {
    // The derivative is right; the rule takes a value off the tape, so its own derivative is not.
    const wrong = rowScale({ vjp: (g, x) => vjp(g, x.detach()) });
    fc.assert(
      fc.property(cases, (drawn) => {
        const x = matrix(drawn.x);
        const right = composed(rowScale(), drawn);
        expect(checkGradients(right, x, { order: 2, tolerance: 1e-6 }).mismatches).toEqual([]);
        const f = composed(wrong, drawn);
        expect(checkGradients(f, x).ok).toBe(true);
        const report = checkGradients(f, x, { order: 2, tolerance: 1e-6 });
        expect(report.mismatches.length).toBeGreaterThan(0);
        expect(report.mismatches[0]).toMatchObject({ order: 2 });
        expect(report.blame).toMatchObject({ kind: "rule", site: { op: "rowScale" } });
        expect(report.blame!.faults[0]).toMatchObject({ rule: "vjp", order: 2, of: "x" });
        expect(report.blame!.message).toMatch(
          /the second derivative of rowScale, of the vjp of rowScale by x by x, is wrong: rowScale \[3,3\]/,
        );
      }),
      { numRuns: 15 },
    );
  });

  test.each(names)("%s breaks laws of ops and functions", (name) => {
    for (const rule of ["vjp", "jvp"] as const) {
      const wrong = rowScale({ [rule]: mistakes[name]![rule] });
      const broken = testOp(wrong, { runs: 1 }).laws.filter(({ ok }) => !ok);
      expect(broken.map((law) => law.name)).toEqual(
        expect.arrayContaining(["differences", "rules", "adjoint"]),
      );
      for (const c of [1e-30, 1e-12, 1e30]) {
        const f = (x: Tensor) => wrong(x).mul(c);
        const laws = functionLaws(
          f,
          (seed) => matrix([...Array(9).keys()].map((i) => 1.5 + Math.sin(seed + i))),
          { order: 1 },
        );
        const found = laws.filter((law) => hold(law, { runs: 1 })?.ok === false);
        expect(found.map((law) => law.name)).toEqual(["differences", "rules", "adjoint"]);
      }
    }
    expect(testOp(rowScale(), { runs: 2 }).ok).toBe(true);
  });
});

describe("steps adapt to the domain", () => {
  test.each<[string, (x: Tensor) => Tensor, number[]]>([
    ["log next to its pole", (x) => x.log(), [1e-3, 1e-6, 1e-100, 1e-300, 1]],
    ["sqrt", (x) => x.sqrt(), [1e-12, 1e-200, 1e300]],
    ["1/x", (x) => x.reciprocal(), [1e-6, -1e-6, 1e6, 1e-100]],
    ["acosh next to its edge", (x) => x.acosh(), [1 + 1e-3, 1 + 1e-8, 1 + 1e-12]],
    ["log1p next to its pole", (x) => x.log1p(), [-1 + 1e-9, 1e-20]],
    ["what is huge", (x) => x.square().add(x), [1e12, -1e12, 1e100]],
    ["a wave far out", (x) => x.sin(), [1e12, 1e9, 3]],
    ["a quick wave", (x) => x.mul(1e5).cos(), [1, 0.3, -2]],
    ["a sum with what is much larger", (x) => x.add(1), [1e-300, 1e-20, 0]],
    ["what is flat", (x) => x.clip(0, 1), [5, -3, 0.5]],
    ["a sum that cancels", (x) => x.softmax(0).sum(), [0.1, 1, 2]],
    ["a pole and far from it", (x) => x.log().add(x), [1e-9, 1e9, 1]],
  ])("%s is decided and right, alone and together", (_, f, xs) => {
    for (const x of [xs, ...xs.map((each) => [each])]) {
      for (const c of [1, 1e-30, 1e6]) {
        const report = checkGradients((z: Tensor) => f(z).mul(c), f64(x));
        expect(String(report)).toMatch(/^gradients agree/);
      }
    }
  });

  test.each([1e-3, 1e-6, 1e-100, 1e12])("and wrong where it is, at %s", (x) => {
    const halfLog = (z: Tensor) => z.log().mul(0.5).add(z.detach().log().mul(0.5));
    expect(checkGradients(halfLog, f64([x])).mismatches).toHaveLength(1);
    const missing = (z: Tensor) => z.detach().log().add(z.mul(0));
    expect(checkGradients(missing, f64([x])).mismatches).toHaveLength(1);
  });

  test("a rule is held to differences there too", () => {
    const tape = new Tape();
    const x = tape.watch(f64([1e-3, 1e-100, 1, 1e100]));
    x.log();
    x.reciprocal();
    x.sqrt();
    expect(checkTape(tape)).toMatchObject({ checked: 3, faults: [], undecided: [] });
  });
});
