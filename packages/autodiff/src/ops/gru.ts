import { format, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import {
  type Application,
  type FunctionOp,
  type NoMethod,
  type OpDeclaration,
  op,
  type Sample,
} from "./declare.ts";
import { type FusedRule, fusedRules } from "./fused.ts";
import { checkState, sigmoidSlope, sizesOf, stateSamples, tanhSlope, zerosLike } from "./gates.ts";
import { concat } from "./join.ts";
import { kernelsOf } from "./kernels.ts";
import { sumTo } from "./sumTo.ts";

/**
 * Cotangents of what the three gates are functions of, and the candidate's part of the state's
 * side.
 */
function cotangents(
  g: Tensor,
  { inputs: [, h, bias], output }: Application,
): [r: Tensor, z: Tensor, n: Tensor, passed: Tensor] {
  const [r, z, n] = output.split(3, -1);
  const [gr, gz, gn] = g.split(3, -1);
  const dn = gn.mul(tanhSlope(n));
  const dr = gr.add(dn.mul(h!.split(3, -1)[2].add(bias!)));
  return [dr.mul(sigmoidSlope(r)), gz.mul(sigmoidSlope(z)), dn, dn.mul(r)];
}

/** The rule of one side: the input's or the state's. */
function side(recurrent: 0 | 1): FusedRule<undefined> {
  return {
    plain(g, application) {
      const [r, z, n, passed] = cotangents(g, application);
      return concat([r, z, recurrent === 1 ? passed : n], -1);
    },
    kernel(g, { inputs: [, h, bias], output }, into, accumulate) {
      kernelsOf(into.block.backend, into).gruGatesVjp(
        ...sizesOf(into, 3),
        output.pointer,
        h!.pointer,
        bias!.pointer,
        g.pointer,
        recurrent,
        accumulate,
        into.pointer,
      );
    },
  };
}

const gruGatesDeclaration: OpDeclaration<undefined> & NoMethod = {
  name: "gruGates",
  method: false,
  inputs: ["x", "h", "bias"],
  shape([x, h, bias]) {
    const columns = x!.shape.at(-1) ?? 0;
    const fits =
      x!.rank > 0 && sameShape(x!.shape, h!.shape) && sameShape(bias!.shape, [columns / 3]);
    if (fits) return x!.shape;
    throw new RangeError(
      `gruGates: x and h must both be [..., 3H], the gates r, z and n side by side, where bias is [H], got x ${format(x!.shape)}, h ${format(h!.shape)} and bias ${format(bias!.shape)}; use broadcastTo for one state of all rows`,
    );
  },
  forward(backend, [x, h, bias], y) {
    const { gruGates: kernel } = kernelsOf(backend, y);
    kernel(...sizesOf(y, 3), x!.pointer, h!.pointer, bias!.pointer, y.pointer);
  },
  residuals: { inputs: [1, 2], output: true },
  ...fusedRules("gruGates", [
    side(0),
    side(1),
    {
      plain: (g, application) => sumTo(cotangents(g, application)[3], application.inputs[2]!.shape),
      kernel(g, { output }, into, accumulate) {
        const { gruGatesVjpBias } = kernelsOf(into.block.backend, into);
        gruGatesVjpBias(...sizesOf(output, 3), output.pointer, g.pointer, accumulate, into.pointer);
      },
    },
  ]),
  jvp(tangents, { inputs, output }) {
    const [dx, dh, dbias] = tangents.map((d, k) => d ?? zerosLike(inputs[k]!));
    const [r, z, n] = output.split(3, -1);
    const [xr, xz, xn] = dx!.split(3, -1);
    const [hr, hz, hn] = dh!.split(3, -1);
    const dr = xr.add(hr).mul(sigmoidSlope(r));
    const recurrent = inputs[1]!.split(3, -1)[2].add(inputs[2]!);
    const dn = xn.add(dr.mul(recurrent)).add(r.mul(hn.add(dbias!)));
    return concat([dr, xz.add(hz).mul(sigmoidSlope(z)), dn.mul(tanhSlope(n))], -1);
  },
  decomposition([x, h, bias]) {
    const [xr, xz, xn] = x!.split(3, -1);
    const [hr, hz, hn] = h!.split(3, -1);
    const r = xr.add(hr).sigmoid();
    return concat([r, xz.add(hz).sigmoid(), xn.add(r.mul(hn.add(bias!))).tanh()], -1);
  },
  samples: [[2, 9], [3], [2, 1, 21], [0, 6]].map(
    (shape): Sample => ({
      label: `x [${shape}]`,
      inputs: [{ shape }, { shape }, { shape: [shape.at(-1)! / 3] }],
      call: ([x, h, bias]) => gruGates(x!, h!, bias!),
    }),
  ),
};

/**
 * The gates of a gated recurrent unit that resets after the recurrent product, as PyTorch and cuDNN
 * do: `r = sigmoid(x_r + h_r)`, `z = sigmoid(x_z + h_z)`, `n = tanh(x_n + r (h_n + bias))` (Cho et
 * al. 2014).
 *
 * @param x the input's side, r, z and n side by side `[..., 3H]`
 * @param h the state's side `[..., 3H]`
 * @param bias of the candidate's recurrent part `[H]`
 * @returns the gates `[..., 3H]`
 * @throws when the shapes do not fit
 *
 * @example
 * ```ts
 * import { gruGates, tensor } from "@chronograd/autodiff";
 *
 * const gates = gruGates(tensor([0, 1000, 0]), tensor([0, 0, 1000]), tensor([1]));
 * gates.toArray(); // => [0.5, 1, 1]
 * ```
 */
export const gruGates: FunctionOp<(x: Tensor, h: Tensor, bias: Tensor) => Tensor> = op(
  gruGatesDeclaration,
  (x: Tensor, h: Tensor, bias: Tensor) => apply(gruGatesDeclaration, [x, h, bias], undefined),
  2,
);

const gruOutputDeclaration: OpDeclaration<undefined> & NoMethod = {
  name: "gruOutput",
  method: false,
  inputs: ["gates", "h"],
  shape: ([gates, h]) => checkState("gruOutput", 3, gates!, h!, "h"),
  forward(backend, [gates, h], y) {
    const { gruOutput: kernel } = kernelsOf(backend, y);
    kernel(...sizesOf(y, 1), gates!.pointer, h!.pointer, y.pointer);
  },
  residuals: { inputs: [0, 1], output: false },
  ...fusedRules("gruOutput", [
    {
      plain(g, { inputs: [gates, h] }) {
        const [, z, n] = gates!.split(3, -1);
        return concat([zerosLike(g), g.mul(h!.sub(n)), g.sub(g.mul(z))], -1);
      },
      kernel(g, { inputs: [gates, h] }, into, accumulate) {
        kernelsOf(into.block.backend, into).gruOutputVjpGates(
          ...sizesOf(into, 3),
          gates!.pointer,
          h!.pointer,
          g.pointer,
          accumulate,
          into.pointer,
        );
      },
    },
    {
      plain: (g, { inputs: [gates] }) => g.mul(gates!.split(3, -1)[1]),
      kernel(g, { inputs: [gates] }, into, accumulate) {
        const { gruOutputVjpH } = kernelsOf(into.block.backend, into);
        gruOutputVjpH(...sizesOf(into, 1), gates!.pointer, g.pointer, accumulate, into.pointer);
      },
    },
  ]),
  jvp([dgates, dh], { inputs: [gates, h] }) {
    const [, z, n] = gates!.split(3, -1);
    const byH = dh && z.mul(dh);
    if (!dgates) return byH!;
    const [, dz, dn] = dgates.split(3, -1);
    const byGates = dn.sub(z.mul(dn)).add(dz.mul(h!.sub(n)));
    return byH ? byGates.add(byH) : byGates;
  },
  decomposition([gates, h]) {
    const [, z, n] = gates!.split(3, -1);
    return n.add(z.mul(h!.sub(n)));
  },
  samples: stateSamples(3, "h", ([gates, h]) => gruOutput(gates!, h!)),
};

/**
 * The next state of a gated recurrent unit: `n + z (h - n)`, which is `(1 - z) n + z h` (Cho et al.
 * 2014, with z and 1 - z exchanged as in PyTorch).
 *
 * @param gates what `gruGates` gave, r, z and n side by side `[..., 3H]`
 * @param h the state before `[..., H]`
 * @returns the state after `[..., H]`
 * @throws when the shapes do not fit
 *
 * @example
 * ```ts
 * import { gruOutput, tensor } from "@chronograd/autodiff";
 *
 * gruOutput(tensor([0, 0.25, 4]), tensor([8])).toArray(); // => [5]
 * ```
 */
export const gruOutput: FunctionOp<(gates: Tensor, h: Tensor) => Tensor> = op(
  gruOutputDeclaration,
  (gates: Tensor, h: Tensor) => apply(gruOutputDeclaration, [gates, h], undefined),
  2,
);
