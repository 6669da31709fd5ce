import { format } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import { type FunctionOp, type NoMethod, type OpDeclaration, op } from "./declare.ts";
import { fusedRules } from "./fused.ts";
import { checkState, sigmoidSlope, sizesOf, stateSamples, tanhSlope, zerosLike } from "./gates.ts";
import { concat } from "./join.ts";
import { kernelsOf } from "./kernels.ts";

const lstmGatesDeclaration: OpDeclaration<undefined> & NoMethod = {
  name: "lstmGates",
  method: false,
  inputs: ["x"],
  shape([x]) {
    const columns = x!.shape.at(-1);
    if (columns === undefined || columns % 4 !== 0) {
      throw new RangeError(
        `lstmGates: x must be [..., 4H], the gates i, f, g and o side by side, got ${format(x!.shape)}; join them with concat([i, f, g, o], -1)`,
      );
    }
    return x!.shape;
  },
  forward(backend, [x], y) {
    kernelsOf(backend, y).lstmGates(...sizesOf(y, 4), x!.pointer, y.pointer);
  },
  residuals: { inputs: [], output: true },
  ...fusedRules("lstmGates", [
    {
      plain: (g, { output }) => g.mul(gateSlopes(output)),
      kernel(g, { output }, into, accumulate) {
        const { lstmGatesVjp } = kernelsOf(into.block.backend, into);
        lstmGatesVjp(...sizesOf(into, 4), output.pointer, g.pointer, accumulate, into.pointer);
      },
    },
  ]),
  jvp: ([dx], { output }) => dx!.mul(gateSlopes(output)),
  decomposition([x]) {
    const [i, f, g, o] = x!.split(4, -1);
    return concat([i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()], -1);
  },
  samples: [
    { label: "[2,12]", inputs: [{ shape: [2, 12] }], call: ([x]) => lstmGates(x!) },
    { label: "[8]", inputs: [{ shape: [8] }], call: ([x]) => lstmGates(x!) },
    { label: "[2,1,28]", inputs: [{ shape: [2, 1, 28] }], call: ([x]) => lstmGates(x!) },
    { label: "[0,4]", inputs: [{ shape: [0, 4] }], call: ([x]) => lstmGates(x!) },
  ],
};

function gateSlopes(y: Tensor): Tensor {
  const [i, f, g, o] = y.split(4, -1);
  return concat([sigmoidSlope(i), sigmoidSlope(f), tanhSlope(g), sigmoidSlope(o)], -1);
}

/**
 * The gates of a long short-term memory: `sigmoid` of the input gate i, the forget gate f and the
 * output gate o, `tanh` of the candidate g (Gers, Schmidhuber & Cummins 2000).
 *
 * @param x what is activated, i, f, g and o side by side `[..., 4H]`
 * @returns the gates `[..., 4H]`
 * @throws when the last axis does not split into four
 *
 * @example
 * ```ts
 * import { lstmGates, tensor } from "@chronograd/autodiff";
 *
 * lstmGates(tensor([0, 1000, 1000, -1000])).toArray(); // => [0.5, 1, 1, 0]
 * ```
 */
export const lstmGates: FunctionOp<(x: Tensor) => Tensor> = op(
  lstmGatesDeclaration,
  (x: Tensor) => apply(lstmGatesDeclaration, [x], undefined),
  1,
);

const lstmCellStateDeclaration: OpDeclaration<undefined> & NoMethod = {
  name: "lstmCellState",
  method: false,
  inputs: ["gates", "c"],
  shape: ([gates, c]) => checkState("lstmCellState", 4, gates!, c!, "c"),
  forward(backend, [gates, c], y) {
    const { lstmCellState: kernel } = kernelsOf(backend, y);
    kernel(...sizesOf(y, 1), gates!.pointer, c!.pointer, y.pointer);
  },
  residuals: { inputs: [0, 1], output: false },
  ...fusedRules("lstmCellState", [
    {
      plain(g, { inputs: [gates, c] }) {
        const [i, , candidate] = gates!.split(4, -1);
        return concat([g.mul(candidate), g.mul(c!), g.mul(i), zerosLike(g)], -1);
      },
      kernel(g, { inputs: [gates, c] }, into, accumulate) {
        kernelsOf(into.block.backend, into).lstmCellStateVjpGates(
          ...sizesOf(into, 4),
          gates!.pointer,
          c!.pointer,
          g.pointer,
          accumulate,
          into.pointer,
        );
      },
    },
    {
      plain: (g, { inputs: [gates] }) => g.mul(gates!.split(4, -1)[1]),
      kernel(g, { inputs: [gates] }, into, accumulate) {
        const { lstmCellStateVjpC } = kernelsOf(into.block.backend, into);
        lstmCellStateVjpC(...sizesOf(into, 1), gates!.pointer, g.pointer, accumulate, into.pointer);
      },
    },
  ]),
  jvp([dgates, dc], { inputs: [gates, c] }) {
    const [i, f, g] = gates!.split(4, -1);
    const byC = dc && f.mul(dc);
    if (!dgates) return byC!;
    const [di, df, dg] = dgates.split(4, -1);
    const byGates = df.mul(c!).add(di.mul(g)).add(i.mul(dg));
    return byC ? byGates.add(byC) : byGates;
  },
  decomposition([gates, c]) {
    const [i, f, g] = gates!.split(4, -1);
    return f.mul(c!).add(i.mul(g));
  },
  samples: stateSamples(4, "c", ([gates, c]) => lstmCellState(gates!, c!)),
};

/**
 * What a long short-term memory remembers: `f c + i g` (Gers, Schmidhuber & Cummins 2000).
 *
 * @param gates what `lstmGates` gave, i, f, g and o side by side `[..., 4H]`
 * @param c the memory before `[..., H]`
 * @returns the memory after `[..., H]`
 * @throws when the shapes do not fit
 *
 * @example
 * ```ts
 * import { lstmCellState, tensor } from "@chronograd/autodiff";
 *
 * lstmCellState(tensor([0.5, 0.25, 1, 0]), tensor([8])).toArray(); // => [2.5]
 * ```
 */
export const lstmCellState: FunctionOp<(gates: Tensor, c: Tensor) => Tensor> = op(
  lstmCellStateDeclaration,
  (gates: Tensor, c: Tensor) => apply(lstmCellStateDeclaration, [gates, c], undefined),
  2,
);

const lstmOutputDeclaration: OpDeclaration<undefined> & NoMethod = {
  name: "lstmOutput",
  method: false,
  inputs: ["gates", "c"],
  shape: ([gates, c]) => checkState("lstmOutput", 4, gates!, c!, "c"),
  forward(backend, [gates, c], y) {
    const { lstmOutput: kernel } = kernelsOf(backend, y);
    kernel(...sizesOf(y, 1), gates!.pointer, c!.pointer, y.pointer);
  },
  residuals: { inputs: [0, 1], output: true },
  ...fusedRules("lstmOutput", [
    {
      plain(g, { inputs: [, c] }) {
        const nothing = zerosLike(g);
        return concat([nothing, nothing, nothing, g.mul(c!.tanh())], -1);
      },
      kernel(g, { inputs: [gates, c], output }, into, accumulate) {
        kernelsOf(into.block.backend, into).lstmOutputVjpGates(
          ...sizesOf(into, 4),
          gates!.pointer,
          c!.pointer,
          output.pointer,
          g.pointer,
          accumulate,
          into.pointer,
        );
      },
    },
    {
      plain: (g, { inputs: [gates, c] }) => g.mul(gates!.split(4, -1)[3]).mul(tanhSlope(c!.tanh())),
      kernel(g, { inputs: [gates, c], output }, into, accumulate) {
        kernelsOf(into.block.backend, into).lstmOutputVjpC(
          ...sizesOf(into, 1),
          gates!.pointer,
          c!.pointer,
          output.pointer,
          g.pointer,
          accumulate,
          into.pointer,
        );
      },
    },
  ]),
  jvp([dgates, dc], { inputs: [gates, c] }) {
    const t = c!.tanh();
    const byC = dc && gates!.split(4, -1)[3].mul(tanhSlope(t)).mul(dc);
    if (!dgates) return byC!;
    const byGates = dgates.split(4, -1)[3].mul(t);
    return byC ? byGates.add(byC) : byGates;
  },
  decomposition: ([gates, c]) => gates!.split(4, -1)[3].mul(c!.tanh()),
  samples: stateSamples(4, "c", ([gates, c]) => lstmOutput(gates!, c!)),
};

/**
 * What a long short-term memory shows of its memory: `o tanh(c)` (Hochreiter & Schmidhuber 1997).
 *
 * @param gates what `lstmGates` gave, i, f, g and o side by side `[..., 4H]`
 * @param c the memory `[..., H]`
 * @returns the output `[..., H]`
 * @throws when the shapes do not fit
 *
 * @example
 * ```ts
 * import { lstmOutput, tensor } from "@chronograd/autodiff";
 *
 * lstmOutput(tensor([0, 0, 0, 0.5]), tensor([1000])).toArray(); // => [0.5]
 * ```
 */
export const lstmOutput: FunctionOp<(gates: Tensor, c: Tensor) => Tensor> = op(
  lstmOutputDeclaration,
  (gates: Tensor, c: Tensor) => apply(lstmOutputDeclaration, [gates, c], undefined),
  2,
);
