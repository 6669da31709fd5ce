import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClipState, clipAdaptive, type GradientTransformation } from "../../src/index.ts";

const backend = createBackend({ kernels: referenceKernels });

/** Gradients after clipping, and the norm before. */
function clipped<G>(link: GradientTransformation<ClipState>, g: G, params: unknown = g) {
  const [gradients, state] = link.update(g, link.init(params), params);
  return { gradients: gradients as G, norm: state.norm.item() };
}
const norm = (values: readonly number[]) => Math.hypot(...values);

describe("clipAdaptive", () => {
  const matrix = fc.array(
    fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 3, maxLength: 3 }),
    {
      minLength: 2,
      maxLength: 4,
    },
  );
  const column = (x: Tensor, j: number) => (x.toArray() as number[][]).map((row) => row[j]!);

  test("scales each unit's gradient down to a share of its weights' norm, and no further", () => {
    fc.assert(
      fc.property(matrix, matrix, (g, w) => {
        fc.pre(g.length === w.length);
        const gradients = { W: tensor(g, { dtype: "float64", backend }) };
        const params = { W: tensor(w, { dtype: "float64", backend }) };
        const { gradients: after } = clipped(clipAdaptive({ clipping: 0.1 }), gradients, params);
        for (let j = 0; j < 3; j++) {
          const limit = 0.1 * Math.max(1e-3, norm(column(params.W, j)));
          const length = norm(column(gradients.W, j));
          const factor = length > limit ? limit / length : 1;
          column(after.W, j).forEach((v, i) => {
            expect(v).toBeCloseTo(g[i]![j]! * factor, 12);
          });
        }
      }),
    );
  });

  test("a vector and a scalar are one unit each; what needs no clipping is passed on itself", () => {
    const params = {
      b: tensor([3, 4], { backend }),
      s: tensor(2, { backend }),
      small: tensor([1], { backend }),
    };
    const gradients = {
      b: tensor([30, 40], { backend }),
      s: tensor(-7, { backend }),
      small: tensor([0.25], { backend }),
    };
    const { gradients: after, norm: length } = clipped(
      clipAdaptive({ clipping: 0.5 }),
      gradients,
      params,
    );
    expect(after.b.toArray()).toEqual([1.5, 2]);
    expect(after.s.item()).toBe(-1);
    expect(after.small.toArray()).toEqual([0.25]);
    expect(length).toBeCloseTo(Math.hypot(50, 7, 0.25), 6);
  });
});
