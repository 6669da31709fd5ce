import { type Tensor, zeros } from "@chronograd/autodiff";
import { apply, bytesOf, type OpDeclaration } from "@chronograd/autodiff/extend";

const declaration: OpDeclaration<readonly number[]> = {
  name: "stepAt",
  inputs: ["sequence"],
  accepts: "any",
  shape: (inputs) => [inputs.length, ...inputs[0]!.shape.slice(1)],
  forward(backend, inputs, y, positions) {
    const size = y.size / inputs.length;
    const { copy } = backend.kernels[y.dtype === "float64" ? "move64" : "move32"];
    for (const [row, { pointer }] of inputs.entries()) {
      if (size === 0) return;
      const bytes = size * bytesOf[y.dtype];
      const [from, to] = [pointer + positions[row]! * bytes, y.pointer + row * bytes];
      copy(1, size, from, size, 1, to, size, 1);
    }
  },
  residuals: { inputs: [], output: false },
  vjp: (g, { inputs, attributes: positions }, row) => {
    const { shape, dtype, backend } = inputs[row]!;
    const own = g.slice([[row, row + 1]]);
    return zeros(shape, { dtype, backend }).scatterAdd([positions[row]!], own);
  },
  jvp: "linear",
  samples: [],
};

/**
 * One step of several sequences, `[B, ...]`: row r is step `positions[r]` of the sequence
 * `[T_r, ...]`. It is `stack` of their slices, without a slice for each.
 */
export function stepAt(sequences: readonly Tensor[], positions: readonly number[]): Tensor {
  return apply(declaration as OpDeclaration, sequences, positions);
}
