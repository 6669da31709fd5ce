import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, kernelsOf, none, type OpDeclaration } from "../../src/extend.ts";
import {
  createBackend,
  named,
  scope,
  Tape,
  type Tensor,
  tensor,
  timeStep,
} from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";
import { checkTape } from "../../src/testing.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

function addInto(into: Tensor, part: Tensor): void {
  const { data } = liveView(into);
  for (const [i, x] of part.toTypedArray().entries()) data.set(i, data.get(i) + x);
}

/** The derivative of tanh, and a factor for each element. */
const slope = (y: Tensor) => y.square().neg().add(1);
const right = {
  vjp: [(g: Tensor, { output }: { output: Tensor }) => g.mul(slope(output))],
  accumulate: [
    (g: Tensor, { output }: { output: Tensor }, into: Tensor) =>
      addInto(into, g.mul(slope(output))),
  ],
  jvp: ([dx]: readonly (Tensor | null)[], { output }: { output: Tensor }) => dx!.mul(slope(output)),
} satisfies Partial<OpDeclaration>;

/** tanh with rules of one's choice. */
function declare(rules: Partial<OpDeclaration>): OpDeclaration {
  return {
    name: "mine",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward: (backend, [x], y) => kernelsOf(backend, y).tanh(y.size, x!.pointer, y.pointer),
    residuals: { inputs: [], output: true },
    samples: [],
    ...right,
    ...rules,
  };
}

/** What `checkTape` says of one entry. */
function checked(rules: Partial<OpDeclaration>, x: Tensor, options = {}) {
  return scope(() => {
    const tape = new Tape();
    apply(declare(rules), [tape.watch(x)], undefined);
    return checkTape(tape, options);
  });
}

describe("rules that are right", () => {
  test("of every size and dtype pass", () => {
    for (const n of [0, 1, 2, 96, 97, 300]) {
      const values = Float64Array.from({ length: n }, (_, i) => Math.sin(i));
      for (const x of [tensor(values), tensor(values, { dtype: "float32" })]) {
        const report = checked({}, x);
        expect(report).toMatchObject({ checked: 1, faults: [], undecided: [] });
        expect(report.worst).toBeLessThan(1e-8);
      }
    }
  });

  test("pass wherever the inputs lie", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1e4, -3e3, 1e-3, 0]));
      x.square();
      x.mul(x.neg());
      expect(checkTape(tape)).toMatchObject({ checked: 3, faults: [], undecided: [] });
    });
  });

  test("entries without floats are left out, and those at a kink or in float32 are undecided", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, -2, 3]));
      x.argmax();
      expect(checkTape(tape)).toEqual({ checked: 0, faults: [], worst: 0, undecided: [] });
      x.cast("float32");
      timeStep(3, () => named("part", () => x.add(2).abs()));
      const { checked: count, faults, undecided } = checkTape(tape);
      expect([count, faults]).toEqual([3, []]);
      expect(undecided).toMatchObject([
        { op: "cast", entry: 1 },
        { op: "abs", entry: 3, t: 3, place: "part", shapes: "[3] -> [3]" },
      ]);
    });
  });
});

describe("ops whose inputs are not all differentiated", () => {
  test("are held to what they do with those that are", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, -2, 3]));
      x.gather(tensor(Int32Array.of(2, 0)));
      // At a condition of 0 the choice jumps.
      f64([1, -1, 2]).where(x, 2);
      x.mul(f64([3, 4, 5])).sub(f64([1, 1, 1]));
      expect(checkTape(tape)).toMatchObject({ faults: [], undecided: [] });
    });
  });

  test("a kink among many elements is undecided, with one rule or the other", () => {
    const values = (n: number) => tensor(Float64Array.from({ length: n }, (_, i) => i - 1));
    for (const n of [3, 96, 97, 300]) {
      const kinked: Partial<OpDeclaration> = {
        forward: (backend, [x], y) => kernelsOf(backend, y).abs(y.size, x!.pointer, y.pointer),
        residuals: { inputs: "all", output: false },
        vjp: [(g, { inputs }) => g.mul(inputs[0]!.sign())],
        accumulate: [],
      };
      const forward: OpDeclaration["jvp"] = ([dx], { inputs }) => dx!.mul(inputs[0]!.sign());
      for (const jvp of [none("no forward mode"), forward]) {
        const report = checked({ ...kinked, jvp }, values(n));
        expect(report).toMatchObject({ checked: 1, faults: [] });
        expect(report.undecided).toHaveLength(1);
      }
    }
  });
});

describe("a rule that is wrong in one element", () => {
  const sizes = fc.oneof(fc.integer({ min: 1, max: 96 }), fc.integer({ min: 97, max: 400 }));

  test.each(["vjp", "accumulate", "jvp"] as const)("%s: is found, with its element", (rule) => {
    fc.assert(
      fc.property(sizes, fc.nat(399), (n, i) => {
        scope(() => {
          const at = i % n;
          const factor = tensor(Float64Array.from({ length: n }, (_, k) => (k === at ? 1.5 : 1)));
          const wrongs: Record<typeof rule, Partial<OpDeclaration>> = {
            vjp: { vjp: [(g, { output }) => g.mul(slope(output)).mul(factor)] },
            accumulate: {
              accumulate: [
                (g, { output }, into) => addInto(into, g.mul(slope(output)).mul(factor)),
              ],
            },
            jvp: { jvp: ([dx], { output }) => dx!.mul(slope(output)).mul(factor) },
          };
          const wrong = wrongs[rule];
          const x = tensor(Float64Array.from({ length: n }, (_, k) => Math.sin(k) / 4));
          const { faults, worst, undecided } = checked(wrong, x);
          expect(undecided).toEqual([]);
          expect(faults).toHaveLength(1);
          const [fault] = faults;
          expect(fault).toMatchObject({
            rule,
            of: rule === "jvp" ? "the output" : "x",
            index: at,
            shape: [n],
            op: "mine",
            entry: 0,
          });
          const { analytic, numeric, error } = fault!;
          expect(analytic / numeric).toBeCloseTo(1.5, 6);
          expect(error).toBe(
            Math.abs(analytic - numeric) / Math.max(Math.abs(analytic), Math.abs(numeric)),
          );
          expect("threw" in fault!).toBe(false);
          expect(worst).toBeGreaterThan(1e-3 * error);
        });
      }),
      { numRuns: 25 },
    );
  });

  test("is found among others by how much it is off", () => {
    const factor = f64([1.01, 1.5, 0.99, 1.02]);
    const x = f64([0.1, 0.1, 0.1, 0.1]);
    const u = (rules: Partial<OpDeclaration>) => checked(rules, x).faults[0]!;
    expect(u({ jvp: ([dx], { output }) => dx!.mul(slope(output)).mul(factor) }).index).toBe(1);
  });

  test("of NaN is infinitely wrong", () => {
    const nan = f64([1, Number.NaN, 1]);
    const x = f64([0.1, 0.2, 0.3]);
    for (const wrong of [
      { vjp: [(g: Tensor) => g.mul(nan)] },
      { jvp: ([dx]: readonly (Tensor | null)[]) => dx!.mul(nan) },
    ]) {
      const [fault] = checked(wrong, x).faults;
      expect(fault).toMatchObject({ index: 1, analytic: Number.NaN, error: Infinity });
    }
  });

  test("is passed within the tolerance that is asked for", () => {
    const wrong = {
      vjp: [(g: Tensor, { output }: { output: Tensor }) => g.mul(slope(output)).mul(1.001)],
    };
    const x = f64([0.1, 0.2, 0.3]);
    expect(checked(wrong, x).faults).toHaveLength(1);
    expect(checked(wrong, x, { tolerance: 1e-2 }).faults).toEqual([]);
    expect(checked(wrong, x, { tolerance: 1e-2 }).worst).toBeGreaterThan(1e-5);
  });

  test("looks the same with the same seed, and otherwise with another", () => {
    const wrong = { vjp: [(g: Tensor) => g.mul(2)] };
    const analytic = (seed?: number) =>
      checked(wrong, f64([0.1]), seed === undefined ? {} : { seed }).faults[0]!.analytic;
    expect(analytic(5)).toBe(analytic(5));
    expect(analytic(5)).not.toBe(analytic(6));
    expect(analytic()).toBe(analytic(1));
  });
});

describe("a rule that throws", () => {
  const x = f64([0.1, 0.2]);
  const fails = () => {
    throw new Error("mine");
  };
  test.each<[string, Partial<OpDeclaration>, string]>([
    ["vjp", { vjp: [fails] }, "x"],
    ["accumulate", { accumulate: [fails] }, "x"],
    ["jvp", { jvp: fails }, "the output"],
  ])("%s", (rule, wrong, of) => {
    const { faults, checked: count } = checked(wrong, x);
    expect(count).toBe(1);
    expect(faults).toMatchObject([
      {
        rule,
        of,
        threw: "mine",
        index: 0,
        shape: [2],
        analytic: Number.NaN,
        numeric: Number.NaN,
        error: Infinity,
      },
    ]);
  });

  test("something else than an error", () => {
    const wrong = {
      vjp: [
        () => {
          throw "mine";
        },
      ],
    };
    expect(checked(wrong, x).faults).toMatchObject([{ rule: "vjp", threw: "mine" }]);
  });

  test("or gives a cotangent of another shape", () => {
    const { faults } = checked({ vjp: [(g: Tensor) => g.sum()] }, x);
    expect(faults).toMatchObject([
      {
        rule: "vjp",
        threw: expect.stringContaining("returned float64 [], expected float64 [2] like the input"),
      },
    ]);
  });
});

describe("a rule that is not there", () => {
  test("is wrong where the op varies, right where it does not", () => {
    const { faults } = checked({ vjp: none("forgotten"), accumulate: [undefined] }, f64([0.1]));
    expect(faults).toMatchObject([{ rule: "vjp", analytic: 0 }]);
    // tanh of 40 is 1, all around.
    expect(checked({ vjp: none("flat"), accumulate: [undefined] }, f64([40])).faults).toEqual([]);
    expect(checked({ jvp: none("no forward mode") }, f64([0.1])).faults).toEqual([]);
  });

  test("but is said to be linear, is held to that", () => {
    expect(checked({ jvp: "linear" }, f64([0.5, 1])).faults).toMatchObject([{ rule: "jvp" }]);
    scope(() => {
      const tape = new Tape();
      const [a, b] = tape.watch([f64([1, 2]), f64([3, 4])] as const);
      a.sub(b);
      a.neg();
      expect(checkTape(tape)).toMatchObject({ checked: 2, faults: [], undecided: [] });
    });
  });
});

describe("check", () => {
  test("names positions since the tape began, and the input that a rule is of", () => {
    scope(() => {
      const tape = new Tape();
      const [a, b] = tape.watch([f64([1, 2]), f64([3, 4])] as const);
      a.exp();
      tape.forget(tape.mark());
      const product: OpDeclaration = {
        ...declare({}),
        name: "product",
        inputs: ["a", "b"],
        forward: (backend, [x, y], z) =>
          kernelsOf(backend, z).mul(
            1,
            z.size,
            x!.pointer,
            z.size,
            1,
            y!.pointer,
            z.size,
            1,
            z.pointer,
          ),
        residuals: { inputs: "all", output: false },
        vjp: [
          (g, { inputs }) => g.mul(inputs[1]!),
          // Of the wrong input.
          (g, { inputs }) => g.mul(inputs[1]!),
        ],
        accumulate: [],
        jvp: ([da, db], { inputs }) => da!.mul(inputs[1]!).add(db!.mul(inputs[0]!)),
      };
      apply(product, [a, b], undefined);
      const { faults, checked: count } = checkTape(tape);
      expect(count).toBe(1);
      expect(faults).toMatchObject([{ op: "product", entry: 1, rule: "vjp", of: "b" }]);
      expect(faults[0]!.shapes).toBe("[2] [2] -> [2]");
    });
  });

  test("leaves nothing behind", () => {
    const backend = createBackend();
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(tensor([1, 2, 3], { backend }));
      x.tanh().sum();
      apply(
        declare({
          vjp: [
            () => {
              throw new Error("mine");
            },
          ],
        }),
        [x],
        undefined,
      );
      checkTape(tape);
      const before = backend.memory.bytesInUse;
      for (let i = 0; i < 3; i++) checkTape(tape);
      expect(backend.memory.bytesInUse).toBe(before);
      expect(tape.stats().entries).toBe(3);
    });
  });

  test("throws on a tape that has ended", () => {
    const { tape } = scope(() => ({ tape: new Tape() }));
    expect(() => checkTape(tape)).toThrow("checkTape: the tape has ended: the scope");
    expect(() => tape.findNonFinite()).toThrow("findNonFinite: the tape has ended: the scope");
  });

  test("throws a sentence for what is no tape, and for an order that there is not", () => {
    expect(() => checkTape({ entries: [] } as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: checkTape: tape must be a Tape, got an object; pass the one that watched the inputs]`,
    );
    expect(() => checkTape(undefined as never)).toThrow(
      "checkTape: tape must be a Tape, got undefined",
    );
    expect(() => checkTape(new Tape(), { order: 3 as never })).toThrow(
      "checkTape: order must be 1 or 2, got 3",
    );
  });
});
