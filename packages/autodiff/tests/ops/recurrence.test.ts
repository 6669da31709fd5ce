import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  concat,
  grad,
  linearRecurrence,
  ones,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { spread } from "../kernels/arena.ts";

type Dtype = "float32" | "float64";
interface Given {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly initial: Tensor;
}

function drawn(shape: readonly number[], dtype: Dtype, seed: number): Given {
  const random = (of: readonly number[], k: number) => {
    const size = of.reduce((x, y) => x * y, 1);
    return tensor(spread(size, seed + k), { shape: of, dtype });
  };
  return { a: random(shape, 0), b: random(shape, 1), initial: random(shape.slice(1), 2) };
}

/** The states by one product and one sum a step. */
function byStep({ a, b, initial }: Given, reverse: boolean, complex: boolean): Tensor {
  const length = a.shape[0]!;
  const states: Tensor[] = [];
  let h = initial;
  for (let i = 0; i < length; i++) {
    const t = reverse ? length - 1 - i : i;
    const at = a.slice([t]);
    if (complex) {
      const [[ar, ai], [hr, hi]] = [at.split(2, -1), h.split(2, -1)];
      h = concat([ar.mul(hr).sub(ai.mul(hi)), ar.mul(hi).add(ai.mul(hr))], -1).add(b.slice([t]));
    } else {
      h = h.mul(at).add(b.slice([t]));
    }
    states[t] = h;
  }
  return stack(states);
}

const shapes = fc.tuple(
  fc.integer({ min: 1, max: 9 }),
  fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }),
);
const flag = fc.boolean();
const worst = (x: Tensor, y: Tensor) => x.sub(y).abs().max().item();

describe("linearRecurrence", () => {
  test.each(["float32", "float64"] as const)(
    "is a product and a sum at each step, to the bit, in %s",
    (dtype) => {
      fc.assert(
        fc.property(shapes, flag, fc.nat(100), ([length, row], reverse, seed) => {
          const given = drawn([length, ...row], dtype, seed);
          const { a, b, initial } = given;
          const found = linearRecurrence(a, b, initial, { reverse });
          expect(found.toArray()).toEqual(byStep(given, reverse, false).toArray());
        }),
      );
    },
  );

  test("has the values and gradients of its steps, real and complex", () => {
    fc.assert(
      fc.property(shapes, flag, flag, fc.nat(100), ([length, row], reverse, complex, seed) => {
        const half = row.length === 0 ? [1] : row;
        const shape = complex ? [length, ...half.slice(0, -1), 2 * half.at(-1)!] : [length, ...row];
        const given = drawn(shape, "float64", seed);
        const weights = drawn(shape, "float64", seed + 7).a;
        const atOnce = ({ a, b, initial }: Given) =>
          linearRecurrence(a, b, initial, { reverse, complex });
        const steps = (x: Given) => byStep(x, reverse, complex);
        expect(worst(atOnce(given), steps(given))).toBeLessThan(1e-13);
        const gradient = (f: (x: Given) => Tensor) =>
          grad((x: Given) => f(x).mul(weights).sum())(given);
        const [found, expected] = [gradient(atOnce), gradient(steps)];
        for (const name of ["a", "b", "initial"] as const) {
          expect(worst(found[name], expected[name])).toBeLessThan(1e-12);
        }
      }),
    );
  });

  test("takes nothing through a coefficient of 0, forward or backward", () => {
    for (const complex of [false, true]) {
      const zero = [0, 0];
      const half = [0.5, 0];
      const nan = [Number.NaN, Number.NaN];
      const given = {
        a: tensor([half, zero, half]),
        b: tensor([nan, [1, 1], [1, 1]]),
        initial: tensor([Infinity, 1]),
      };
      const h = linearRecurrence(given.a, given.b, given.initial, { complex });
      expect(h.slice([1]).toArray()).toEqual([1, 1]);
      expect(h.slice([2]).toArray()).toEqual(complex ? [1.5, 1.5] : [1.5, 1]);
      const g = tensor([[0, 0], nan, [1, 1]]);
      const gradient = grad(({ b, initial }: Omit<Given, "a">) =>
        linearRecurrence(given.a, b, initial, { complex }).mul(g).sum(),
      )({ b: zeros([3, 2]), initial: zeros([2]) });
      expect(gradient.b.slice([0]).toArray()).toEqual(zero);
      expect(gradient.initial.toArray()).toEqual(zero);
    }
  });

  test("has closed forms where coefficients are constant", () => {
    const length = 10_000;
    const constant = (value: number) => ones([length], { dtype: "float64" }).mul(value);
    const last = (a: number, b: number, initial: number) =>
      linearRecurrence(constant(a), constant(b), tensor(initial, { dtype: "float64" }))
        .slice([length - 1])
        .item();
    expect(last(1, 0.25, 3)).toBe(3 + 0.25 * length);
    expect(last(-1, 0, 3)).toBe(3);
    expect(last(0, 0.25, 3)).toBe(0.25);
    expect(last(0.5, 1, 3)).toBe(2);
    // A decay far below the smallest number.
    expect(last(0.25, 0, 3)).toBe(0);
    expect(last(0.9999, 0, 1)).toBeCloseTo(0.9999 ** length, 12);
    expect(last(2, 0, 1)).toBe(Infinity);
  });

  test("keeps the length of a number that is turned ten thousand times", () => {
    const turn = [Math.cos(0.1), Math.sin(0.1)];
    const a = tensor(turn, { dtype: "float64" }).broadcastTo([10_000, 2]);
    const h = linearRecurrence(a, a.mul(0), tensor([1, 0], { dtype: "float64" }), {
      complex: true,
    });
    const [re, im] = h.slice([9999]).toArray() as number[];
    expect(Math.abs(re! - Math.cos(1000))).toBeLessThan(1e-11);
    expect(Math.abs(im! - Math.sin(1000))).toBeLessThan(1e-11);
  });

  test("of no step is nothing, and gives its start no gradient", () => {
    const gradient = grad((initial: Tensor) =>
      linearRecurrence(zeros([0, 2]), zeros([0, 2]), initial).sum(),
    );
    expect(gradient(ones([2])).toArray()).toEqual([0, 0]);
  });
});
