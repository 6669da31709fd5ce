import { describe, expect, test } from "vitest";
import { apply, kernelsOf, none, type OpDeclaration } from "../../src/extend.ts";
import {
  compile,
  grad,
  jvp,
  matmul,
  named,
  scope,
  Tape,
  type Tensor,
  tensor,
  timeStep,
  zeros,
} from "../../src/index.ts";

const f64 = (x: number[]) => tensor(x, { dtype: "float64" });

/** tanh with rules of one's choice. */
function declare(rules: Partial<OpDeclaration>): OpDeclaration {
  return {
    name: "mine",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward: (backend, [x], y) => kernelsOf(backend, y).tanh(y.size, x!.pointer, y.pointer),
    residuals: { inputs: [], output: true },
    samples: [],
    vjp: [(g, { output }) => g.mul(output.square().neg().add(1))],
    jvp: ([dx], { output }) => dx!.mul(output.square().neg().add(1)),
    ...rules,
  };
}

/** An op at time step 2, in a part. */
const placed = (declaration: OpDeclaration) => (x: Tensor) =>
  timeStep(2, () => named("cell", () => apply(declaration, [x.sin()], undefined))).sum();

const gone = () => {
  let x: Tensor | undefined;
  scope(() => {
    x = f64([1, 2]);
  });
  return x!;
};
const wrong: readonly (readonly [string, () => unknown])[] = [
  ["nothing", () => undefined],
  ["a number", () => 1],
  ["a scalar", () => f64([1, 2]).sum()],
  ["a row", () => f64([1, 2]).reshape([1, 2])],
  ["float32", () => zeros([2])],
  ["what is gone", gone],
];

/** The message of what a call throws. */
function said(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}

describe("what a rule returns is held to shape, dtype and being there", () => {
  const where = "mine [2] -> [2] (entry 1), time step 2, in cell";

  test.each(wrong)("vjp, in plain and recorded sweeps: %s", (_, value) => {
    const f = placed(declare({ vjp: [value as () => Tensor] }));
    const x = f64([0.1, 0.2]);
    for (const record of [false, true]) {
      const message = said(() => {
        const tape = new Tape();
        const watched = tape.watch(x);
        tape.gradient(f(watched), watched, { record });
      });
      expect(message).toContain("gradient: the vjp of mine by x returned ");
      expect(message).toContain(`, expected float64 [2] like the input: ${where}; `);
    }
    expect(said(() => grad(grad(f) as never)(x))).toContain("the vjp of mine by x returned ");
  });

  test.each(wrong)("jvp: %s", (_, value) => {
    const f = placed(declare({ jvp: value as () => Tensor }));
    const message = said(() => jvp(f, f64([0.1, 0.2]), f64([1, 1])));
    expect(message).toContain("gradient: the jvp of mine returned ");
    expect(message).toContain(`, expected float64 [2] like the output: ${where}; `);
  });

  test("in a sentence", () => {
    const x = f64([0.1, 0.2]);
    const of = (value: () => unknown) =>
      said(() => grad(placed(declare({ vjp: [value as () => Tensor] })))(x));
    expect(wrong.map(([, value]) => of(value))).toMatchInlineSnapshot(`
      [
        "gradient: the vjp of mine by x returned undefined, expected float64 [2] like the input: mine [2] -> [2] (entry 1), time step 2, in cell; return a tensor, for example zeros(shape), and none(...) as the rule where there is no derivative",
        "gradient: the vjp of mine by x returned 1, expected float64 [2] like the input: mine [2] -> [2] (entry 1), time step 2, in cell; return a tensor, for example zeros(shape), and none(...) as the rule where there is no derivative",
        "gradient: the vjp of mine by x returned float64 [], expected float64 [2] like the input: mine [2] -> [2] (entry 1), time step 2, in cell; sum over what was broadcast, reshape(...) or cast(...) it",
        "gradient: the vjp of mine by x returned float64 [1,2], expected float64 [2] like the input: mine [2] -> [2] (entry 1), time step 2, in cell; sum over what was broadcast, reshape(...) or cast(...) it",
        "gradient: the vjp of mine by x returned float32 [2], expected float64 [2] like the input: mine [2] -> [2] (entry 1), time step 2, in cell; sum over what was broadcast, reshape(...) or cast(...) it",
        "gradient: the vjp of mine by x returned a tensor that is gone (the scope it was made in has ended; return it from the scope to keep it), expected float64 [2] like the input: mine [2] -> [2] (entry 1), time step 2, in cell; make it inside the rule",
      ]
    `);
  });

  test("a second contribution is held to it too, and one to a value in between", () => {
    const declaration = declare({ vjp: [(g) => g.sum()] });
    const mine = (x: Tensor) => apply(declaration, [x], undefined);
    const x = f64([0.1, 0.2]);
    expect(said(() => grad((z: Tensor) => z.sin().add(mine(z)).sum())(x))).toContain("vjp of mine");
    expect(said(() => grad((z: Tensor) => mine(z.exp()).add(z).sum())(x))).toContain("vjp of mine");
  });

  test("a rule that is not declared is missed where it is needed", () => {
    const x = f64([0.1, 0.2]);
    expect(said(() => grad(placed(declare({ vjp: [] })))(x))).toMatchInlineSnapshot(
      `"mine: the vjp by x must be a function or none("why"), got undefined; declare one rule for each input"`,
    );
    const without = placed(declare({ vjp: [none("flat")] }));
    expect(grad(without)(x).toArray()).toEqual([0, 0]);
  });
});

describe("what a rule throws", () => {
  const cause = new RangeError("mine");
  const fails = () => {
    throw cause;
  };
  const caught = (call: () => unknown): Error => {
    try {
      call();
    } catch (error) {
      return error as Error;
    }
    throw new Error("nothing was thrown");
  };
  const x = f64([0.1, 0.2]);

  test("says op, input and time step, and is the cause", () => {
    const vjp = caught(() => grad(placed(declare({ vjp: [fails] })))(x));
    expect(vjp.cause).toBe(cause);
    expect(vjp.message).toMatchInlineSnapshot(
      `"mine (thrown by the vjp of mine by x: mine [2] -> [2] (entry 1), time step 2, in cell)"`,
    );
    const forward = caught(() => jvp(placed(declare({ jvp: fails })), x, x));
    expect(forward.cause).toBe(cause);
    expect(forward.message).toMatchInlineSnapshot(
      `"mine (thrown by the jvp of mine: mine [2] -> [2] (entry 1), time step 2, in cell)"`,
    );
  });

  test("so does a rule that adds in place", () => {
    const declaration = declare({ accumulate: [fails] });
    const g = (z: Tensor) =>
      placed(declaration)(z.mul(1))
        .add(apply(declaration, [z], undefined).sum())
        .add(z.exp().sum());
    const error = caught(() => grad(g)(x));
    expect(error.cause).toBe(cause);
    expect(error.message).toMatch(
      /^mine \(thrown by the accumulate of mine by x: mine \[2\] -> \[2\] \(entry/,
    );
  });

  test("and one that adds up many time steps", () => {
    const product = { ...(matmul.declaration as OpDeclaration), accumulateAll: [undefined, fails] };
    const f = (W: Tensor) => {
      let h = tensor(new Float64Array(8).fill(0.1), { shape: [1, 8] });
      for (let t = 1; t <= 3; t++) {
        h = timeStep(t, () =>
          apply(product, [h, W], { transposeA: false, transposeB: false, batch: [] }),
        );
      }
      return h.sum();
    };
    const error = caught(() => grad(f)(tensor(new Float64Array(64).fill(0.1), { shape: [8, 8] })));
    expect(error.cause).toBe(cause);
    expect(error.message).toMatch(
      /^mine \(thrown by the accumulate of matmul by b: .* time step 2/,
    );
  });

  test("a rule that reads values is no reason to throw inside compile: it runs uncompiled", () => {
    const declaration = declare({
      vjp: [(g, { output }) => g.mul(1 - output.toTypedArray().length)],
    });
    const f = compile((z: Tensor) => grad(placed(declaration))(z));
    expect(f(x).toArray()).toEqual(grad(placed(declaration))(x).toArray());
  });
});
