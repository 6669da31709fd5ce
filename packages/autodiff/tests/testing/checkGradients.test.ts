import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, kernelsOf, type OpDeclaration, op } from "../../src/extend.ts";
import { named, type Tensor, tensor, timeStep } from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";
import { tensors } from "../../src/testing/fast-check.ts";
import { gradientMatchers } from "../../src/testing/vitest.ts";
import { checkGradients, findNonFinite } from "../../src/testing.ts";

expect.extend(gradientMatchers);

const f64 = (x: number | number[] | number[][]) => tensor(x, { dtype: "float64" });

/** tanh, with derivative rules of one's choice. */
function tanhWith(rules: Pick<OpDeclaration, "vjp" | "jvp"> & Partial<OpDeclaration>) {
  const declaration: OpDeclaration = {
    name: "myTanh",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward: (backend, [x], y) => kernelsOf(backend, y).tanh(y.size, x!.pointer, y.pointer),
    residuals: { inputs: [], output: true },
    samples: [],
    ...rules,
  };
  return op(declaration, (x: Tensor) => apply(declaration, [x], undefined));
}
const right: Pick<OpDeclaration, "vjp" | "jvp"> = {
  vjp: [(g, { output }) => g.mul(output.square().neg().add(1))],
  jvp: ([dx], { output }) => dx!.mul(output.square().neg().add(1)),
};

describe("checkGradients", () => {
  test("agrees on functions that are right, in both modes", () => {
    const x = f64([
      [0.3, -1],
      [0.5, 2],
    ]);
    for (const mode of ["full", "directions"] as const) {
      const report = checkGradients((z: Tensor) => [z.tanh(), z.matmul(z).sum(0)], x, { mode });
      expect(report).toMatchObject({ ok: true, mode, mismatches: [], undecided: [] });
      expect(report.worst).toBeLessThan(1e-9);
      expect(report.elements).toBe(mode === "full" ? 6 * 4 : 8 * 7);
    }
  });

  test("picks directions where the Jacobian is large", () => {
    const x = f64(Array.from({ length: 400 }, (_, i) => Math.sin(i)));
    expect(checkGradients((z: Tensor) => z.sin(), x).mode).toBe("directions");
    expect(checkGradients((z: Tensor) => z.sin().sum(), x).mode).toBe("full");
  });

  test.each(["full", "directions"] as const)(
    "finds a wrong factor in one element, mode %s",
    (mode) => {
      const wrong = tanhWith({
        ...right,
        vjp: [
          (g, { output }) =>
            g.mul(output.square().neg().add(1)).mul(tensor([1, 1.001], { dtype: "float64" })),
        ],
      });
      const report = checkGradients((z: Tensor) => wrong(z), f64([0.2, 0.4]), { mode });
      expect(report.ok).toBe(false);
      expect(report.blame).toMatchObject({ kind: "rule", site: { op: "myTanh", entry: 0 } });
      const fault = report.blame!.faults[0]!;
      expect(fault).toMatchObject({ rule: "vjp", of: "x", index: 1 });
      expect(fault.analytic / fault.numeric).toBeCloseTo(1.001, 8);
    },
  );

  test("never passes a kink, wherever it lies among the steps of the differences", () => {
    // z + 1 keeps the steps long: the kink is less than a thousandth of them away.
    const shifted = tanhWith({
      forward: (backend, [x], y) => kernelsOf(backend, y).abs(y.size, x!.pointer, y.pointer),
      residuals: { inputs: "all", output: false },
      vjp: [(g, { inputs }) => g.mul(inputs[0]!.sign()).mul(2)],
      jvp: ([dx], { inputs }) => dx!.mul(inputs[0]!.sign()),
    });
    fc.assert(
      fc.property(fc.double({ min: -0.99e-3, max: 0.99e-3, noNaN: true }), (near) => {
        expect(checkGradients((z: Tensor) => z.abs(), f64([near])).mismatches).toEqual([]);
        expect(checkGradients((z: Tensor) => z.sub(1).abs(), f64([1 + near])).mismatches).toEqual(
          [],
        );
        expect(checkGradients((z: Tensor) => shifted(z.sub(1)), f64([1 + near])).ok).toBe(false);
      }),
    );
    for (const kinked of [
      (z: Tensor) => z.relu(),
      (z: Tensor) => z.maximum(0),
      (z: Tensor) => z.clip(0, 1),
      (z: Tensor) => z.floor(),
      (z: Tensor) => z.abs(),
    ]) {
      for (const c of [1, 1e-30, 1e30]) {
        const report = checkGradients((z: Tensor) => kinked(z).mul(c), f64([0]));
        expect(report).toMatchObject({ ok: false, mismatches: [] });
        expect(report.undecided).toHaveLength(1);
      }
    }
  });

  test("never passes what has no value nearby", () => {
    expect(checkGradients((z: Tensor) => z.log(), f64([0])).ok).toBe(false);
    expect(checkGradients((z: Tensor) => z.sqrt(), f64([0])).undecided).toHaveLength(1);
    expect(checkGradients((z: Tensor) => z.mul(Number.NaN), f64([1])).ok).toBe(false);
  });

  test("a wrong gradient of NaN is a mismatch, not a pass", () => {
    const wrong = tanhWith({ ...right, vjp: [(g) => g.mul(Number.NaN)] });
    expect(checkGradients((z: Tensor) => wrong(z), f64([0.2])).mismatches).toHaveLength(1);
  });

  test("throws when asked, and for inputs and outputs it cannot check", () => {
    const x = f64([0.3]);
    const wrong = (z: Tensor) => z.mul(z.detach());
    expect(() => checkGradients(wrong, x, { throws: true })).toThrow(/gradients differ: 1 of 1/);
    expect(() => checkGradients((z: Tensor) => z, tensor([1]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkGradients: the input at its root is float32 [1], expected float64; convert it with cast(x, "float64")]`,
    );
    expect(() => checkGradients(() => 3, x)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkGradients: the function returned no float tensor, so there is nothing to check; return tensors, or plain objects and arrays of them]`,
    );
    expect(() => checkGradients((z) => z, {})).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkGradients: the inputs hold no float64 tensor, so there is nothing to check; pass tensors in plain objects and arrays]`,
    );
    const growing = (z: Tensor) => z.tile([z.item() > 0.3 ? 2 : 1]);
    expect(() => checkGradients(growing, x)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: checkGradients: the outputs have 1 elements at the inputs given and 2 at slightly different ones; shapes must not depend on the inputs' values]`,
    );
  });

  test("as a matcher", () => {
    const x = f64([0.3, 1]);
    expect((z: Tensor) => z.tanh()).toHaveCorrectGradients(x);
    expect((z: Tensor) => z.mul(z.detach())).not.toHaveCorrectGradients(x);
    expect(() => expect((z: Tensor) => z.mul(z.detach())).toHaveCorrectGradients(x)).toThrow(
      /off|constant; look for detach/,
    );
    expect(() => expect(x.tanh()).toHaveCorrectGradients(x)).toThrow(
      /write expect\(f\), not expect\(f\(x\)\)/,
    );
  });

  test("with fast-check, the counterexample shrinks to the smallest shape and simplest values", () => {
    // Wrong wherever an element is above 1: the smallest example is one element, the next grid
    // value above 1.
    const wrong = tanhWith({
      ...right,
      vjp: [
        (g, { output }) =>
          g.mul(output.square().neg().add(1)).mul(output.greater(Math.tanh(1)).add(1)),
      ],
    });
    const details = fc.check(
      fc.property(
        tensors({ most: 2 }),
        (x) => checkGradients((z: Tensor) => wrong(z), x).mismatches.length === 0,
      ),
      { seed: 7, numRuns: 300 },
    );
    expect(details.failed).toBe(true);
    const [x] = details.counterexample!;
    expect(x.size).toBe(1);
    expect(x.shape).toEqual([]);
    expect(x.item()).toBe(1 + 1 / 64);
  });
});

describe("blame", () => {
  /** Three steps of a recurrence with something in it. */
  const recurrence = (step: (h: Tensor, t: number) => Tensor) => (x: Tensor) => {
    let h = x;
    for (let t = 1; t <= 3; t++) h = timeStep(t, () => named("cell", () => step(h, t)));
    return h;
  };

  test("names the op, its line, its time step and its element", () => {
    const wrong = tanhWith({
      ...right,
      vjp: [(g, { output }) => g.mul(output.square().neg().add(1.1))],
    });
    const f = recurrence((h, t) => (t === 2 ? wrong(h) : h.sin()));
    const { blame } = checkGradients(f, f64([[0.3, 0.1]]));
    expect(blame).toMatchObject({
      kind: "rule",
      site: { op: "myTanh", entry: 1, t: 2, place: "cell", shapes: "[1,2] -> [1,2]" },
    });
    expect(blame!.site!.line!.file).toMatch(/checkGradients\.test\.ts$/);
    expect(blame!.message).toMatch(
      /myTanh \[1,2\] -> \[1,2\] \(entry 1\), time step 2, in cell, at .*:\d+:\d+ \(called at .*\); worst element x\[0,0\]: analytic/,
    );
  });

  test("tells a rule that adds in place from the rule itself", () => {
    const wrong = tanhWith({
      ...right,
      accumulate: [
        (g, { output }, into) => {
          const part = g.mul(output.square().neg().add(1)).mul(2);
          const [there, here] = [liveView(into), part.toTypedArray()];
          for (let i = 0; i < into.size; i++) there.data.set(i, there.data.get(i) + here[i]!);
        },
      ],
    });
    const { blame } = checkGradients(
      (z: Tensor) => wrong(z).add(z.sin()).add(wrong(z)),
      f64([0.3]),
    );
    expect(blame?.faults[0]).toMatchObject({ rule: "accumulate", op: "myTanh" });
  });

  test("names a value that left the tape, and where it came back", () => {
    const f = recurrence((h, t) => (t === 3 ? h.mul(tensor(h.toTypedArray())) : h.sin()));
    const { blame } = checkGradients(f, f64([0.3]));
    expect(blame).toMatchObject({ kind: "off the tape", site: { op: "mul", t: 3 } });
    const number = checkGradients((z: Tensor) => z.mul(z.sum().item()), f64([0.3])).blame;
    expect(number).toMatchObject({ kind: "off the tape", site: { op: "mul" } });
    const output = checkGradients((z: Tensor) => [z.sin(), z.detach().cos()], f64([0.3])).blame;
    expect(output?.message).toMatch(/output "1" changes with the inputs but was not recorded/);
  });

  test("passes over constants that cancel out, to the one that matters", () => {
    // A norm that divides by its largest element first, detached, and multiplies by it again.
    const norm = (z: Tensor) => {
      const largest = z.detach().abs().max();
      return z.div(largest).square().sum().sqrt().mul(largest);
    };
    const f = (z: Tensor) => z.div(norm(z).item());
    const { blame } = checkGradients(f, f64([0.3, -2]));
    expect(blame).toMatchObject({ kind: "off the tape", site: { op: "div" } });
    expect(blame!.site!.entry).toBeGreaterThan(2);
  });

  test("names what is random, and what branches", () => {
    const random = checkGradients((z: Tensor) => z.mul(Math.random()), f64([0.3])).blame;
    expect(random).toMatchObject({ kind: "random", site: { op: "mul" } });
    const branching = (z: Tensor) => (z.item() > 0.3 ? z.sin() : z.cos());
    expect(checkGradients(branching, f64([0.3])).blame).toMatchObject({ kind: "branch" });
  });

  test("says nothing about an honest kink", () => {
    expect(checkGradients((z: Tensor) => z.sin().abs(), f64([0])).blame).toBe(undefined);
  });
});

describe("findNonFinite", () => {
  test("names the first NaN of a forward sweep: op, step, part, and the inputs it came from", () => {
    const f = ({ W, x }: { W: Tensor; x: Tensor }) => {
      let h = x;
      for (let t = 1; t <= 4; t++)
        h = timeStep(t, () => named("cell", () => h.matmul(W).sub(1).sqrt()));
      return h;
    };
    const found = findNonFinite(f, { W: f64([[1]]), x: f64([[3]]) })!;
    expect(found).toMatchObject({
      sweep: "forward",
      op: "sqrt",
      t: 3,
      place: "cell",
      index: "[0,0]",
    });
    expect(found.value).toBe(Number.NaN);
    expect(found.line!.file).toMatch(/checkGradients\.test\.ts$/);
    expect(found.causes[0]).toMatch(/^x, from add, entry \d+ is -0\.\d+ there$/);
  });

  test("names a parameter or a constant that came in bad", () => {
    const f = ({ W, x }: { W: Tensor; x: Tensor }) => x.mul(W).add(f64([0, Infinity]));
    const x = f64([1, 2]);
    expect(findNonFinite(f, { W: f64([1, Number.NaN]), x })).toMatchObject({
      op: "mul",
      of: '"W"',
      index: "[1]",
    });
    expect(findNonFinite(f, { W: f64([1, 1]), x })).toMatchObject({
      op: "add",
      of: "the constant b",
      value: Infinity,
    });
    expect(findNonFinite(f, { W: f64([1, 1]), x }, { onlyNaN: true })).toBe(undefined);
  });

  test("names the rule that makes the first of a backward sweep", () => {
    const f = (z: Tensor) =>
      timeStep(2, () => z.mul(3))
        .sqrt()
        .mul(2)
        .sum();
    expect(findNonFinite(f, f64([1, 0]))).toMatchObject({
      sweep: "backward",
      op: "sqrt",
      of: "the cotangent of its input x",
      index: "[1]",
    });
    expect(findNonFinite(f, f64([1, 2]))).toBe(undefined);
  });

  test.each<[string, (x: Tensor) => unknown, RegExp]>([
    ["a detached one", (x) => x.detach().log(), /^forward: "the output" holds NaN at \[0\]/],
    ["a constant", () => f64([Number.NaN]), /^forward: "the output" holds NaN/],
    [
      "one of several",
      (x) => ({ y: x.exp(), n: f64([Infinity]) }),
      /"the output n" holds Infinity/,
    ],
  ])("finds an output that the tape did not see made: %s", (_what, f, message) => {
    expect(findNonFinite(f, f64([-1]))?.message).toMatch(message);
  });

  test("tells a sum of finite cotangents that overflows", () => {
    const f = (z: Tensor) => {
      const y = z.mul(1);
      return y.mul(1.5e308).add(y.mul(1.5e308));
    };
    expect(findNonFinite(f, f64([0]))).toMatchObject({
      sweep: "backward",
      op: "mul",
      value: Infinity,
    });
  });
});
