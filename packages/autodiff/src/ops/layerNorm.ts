import { format, normalizeAxes, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { alongLast } from "./alongLast.ts";
import { apply } from "./apply.ts";
import { type FunctionOp, type NoMethod, type OpDeclaration, op, type Sample } from "./declare.ts";
import { fusedRules } from "./fused.ts";
import { kernelsOf } from "./kernels.ts";
import { reshape } from "./shape.ts";
import { sumTo } from "./sumTo.ts";

function sizesOf({ shape, size }: Tensor): [rows: number, cols: number] {
  const cols = shape.at(-1)!;
  return [cols === 0 ? 0 : size / cols, cols];
}

const averaged = (x: Tensor): Tensor => x.mean(-1, { keepDims: true });

/** `n = (x - mean) s`, and `s`, one over the deviation. */
function normalized(x: Tensor, epsilon: number): [n: Tensor, s: Tensor] {
  const d = x.sub(averaged(x));
  const s = averaged(d.square()).add(epsilon).rsqrt();
  return [d.mul(s), s];
}

/** `s (k - mean of k - n (mean of k n))`: what varies with neither the mean nor the deviation. */
function projected(k: Tensor, n: Tensor, s: Tensor): Tensor {
  return s.mul(k.sub(averaged(k)).sub(n.mul(averaged(k.mul(n)))));
}

const layerNormDeclaration: OpDeclaration<number> & NoMethod = {
  name: "layerNormalize",
  method: false,
  inputs: ["x", "gain", "bias"],
  shape([x, gain, bias]) {
    const row = x!.shape.slice(-1);
    if (x!.rank > 0 && sameShape(gain!.shape, row) && sameShape(bias!.shape, row)) return x!.shape;
    throw new RangeError(
      `layerNormalize: gain and bias must be [n] where x is [..., n], got x ${format(x!.shape)}, gain ${format(gain!.shape)} and bias ${format(bias!.shape)}; use ones([n]) and zeros([n]) for none`,
    );
  },
  forward(backend, [x, gain, bias], y, epsilon) {
    kernelsOf(backend, y).layerNorm(
      ...sizesOf(y),
      x!.pointer,
      gain!.pointer,
      bias!.pointer,
      epsilon,
      y.pointer,
    );
  },
  residuals: { inputs: [0, 1], output: false },
  ...fusedRules<number>("layerNormalize", [
    {
      plain: (g, { inputs: [x, gain], attributes: epsilon }) =>
        projected(g.mul(gain!), ...normalized(x!, epsilon)),
      kernel(g, { inputs: [x, gain], attributes: epsilon }, into, accumulate) {
        kernelsOf(into.block.backend, into).layerNormVjp(
          ...sizesOf(into),
          x!.pointer,
          gain!.pointer,
          g.pointer,
          epsilon,
          accumulate,
          into.pointer,
        );
      },
    },
    {
      plain: (g, { inputs: [x, gain], attributes: epsilon }) =>
        sumTo(g.mul(normalized(x!, epsilon)[0]), gain!.shape),
      kernel(g, { inputs: [x], attributes: epsilon }, into, accumulate) {
        const { layerNormVjpGain } = kernelsOf(into.block.backend, into);
        layerNormVjpGain(...sizesOf(g), x!.pointer, g.pointer, epsilon, accumulate, into.pointer);
      },
    },
    {
      plain: (g, { inputs: [, , bias] }) => sumTo(g, bias!.shape),
      kernel(g, _application, into, accumulate) {
        const [rows, cols] = sizesOf(g);
        const { addRows, sum } = kernelsOf(into.block.backend, into);
        if (accumulate === 1) addRows(rows, cols, g.pointer, into.pointer);
        else sum(1, rows, cols, g.pointer, into.pointer);
      },
    },
  ]),
  jvp([dx, dgain, dbias], { inputs: [x, gain], output, attributes: epsilon }) {
    const [n, s] = normalized(x!, epsilon);
    const parts = [dx && projected(dx, n, s).mul(gain!), dgain && n.mul(dgain), dbias];
    const sum = parts.reduce((a, b) => (a && b ? a.add(b) : (a ?? b)), null)!;
    return sum.broadcastTo(output.shape);
  },
  decomposition: ([x, gain, bias], epsilon) => normalized(x!, epsilon)[0].mul(gain!).add(bias!),
  samples: [
    ...[[2, 5], [7], [2, 2, 4], [3, 1], [0, 3]].map(
      (shape): Sample => ({
        label: `x [${shape}]`,
        inputs: [{ shape }, { shape: shape.slice(-1) }, { shape: shape.slice(-1) }],
        call: ([x, gain, bias]) => layerNormalize(x!, gain!, bias!, 0.1),
      }),
    ),
    {
      label: "x [3,2,2], axes 0 and 2",
      inputs: [{ shape: [3, 2, 2] }, { shape: [3, 2] }, { shape: [3, 2] }],
      call: ([x, gain, bias]) => layerNormalize(x!, gain!, bias!, 0.1, [0, 2]),
    },
  ],
};

/**
 * `(x - mean) / sqrt(variance + epsilon) * gain + bias` along axes, with the (biased) variance (Ba,
 * Kiros & Hinton 2016, Layer normalization).
 *
 * @param x any shape, `[..., n]` where the axis is the last
 * @param gain factors, of the shape of the axes: `[n]`
 * @param bias summands, of the shape of the axes: `[n]`
 * @param epsilon added to the variance; 1e-5 unless given
 * @param axes over which the mean is taken; the last unless given, several count as one
 * @returns the shape of `x`
 * @throws when the shapes do not fit, or epsilon is not a number of at least 0
 *
 * @example
 * ```ts
 * import { layerNormalize, tensor } from "@chronograd/autodiff";
 *
 * layerNormalize(tensor([1, 3]), tensor([10, 10]), tensor([0, 1]), 0).toArray(); // => [-10, 11]
 * ```
 */
export const layerNormalize: FunctionOp<
  (
    x: Tensor,
    gain: Tensor,
    bias: Tensor,
    epsilon?: number,
    axes?: number | readonly number[],
  ) => Tensor
> = op(
  layerNormDeclaration,
  (
    x: Tensor,
    gain: Tensor,
    bias: Tensor,
    epsilon = 1e-5,
    axes: number | readonly number[] = -1,
  ) => {
    if (!(epsilon >= 0)) {
      throw new RangeError(
        `layerNormalize: epsilon must be a number of at least 0, got ${String(epsilon)}`,
      );
    }
    if (axes === -1) return apply(layerNormDeclaration, [x, gain, bias], epsilon);
    const list = normalizeAxes(axes, x.rank, "layerNormalize");
    const expected = list.map((axis) => x.shape[axis]!);
    for (const part of [gain, bias]) {
      if (part instanceof Tensor && sameShape(part.shape, expected)) continue;
      throw new RangeError(
        `layerNormalize: gain and bias must be tensors of shape ${format(expected)} for axes ${format(list)} of x ${format(x.shape)}`,
      );
    }
    const flat = (part: Tensor) => reshape(part, [-1]);
    return alongLast(x, list, "layerNormalize", (rows) =>
      apply(layerNormDeclaration, [rows, flat(gain), flat(bias)], epsilon),
    );
  },
  2,
);
