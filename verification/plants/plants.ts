import type { Mutant } from "../mutants/mutant.ts";

/** A bug, where it is put, and what the report must say of it. */
export interface Plant {
  readonly name: string;
  /** What a reader is told of the bug. */
  readonly bug: string;
  /** The bug, in the library; a scenario without one has it in its own code, as a user would. */
  readonly mutant?: Mutant;
  /** Words that the report must have: the op or the cut, and the time step. */
  readonly expect: readonly RegExp[];
}

const inLibrary = (file: string, find: string, replace: string): Mutant => ({
  name: "planted",
  kind: "factor",
  file,
  find,
  replace,
});
const ops = "packages/autodiff/src/ops";

/** Ten planted bugs; `scenarios.ts` has a check for each, by name. */
export const plants: readonly Plant[] = [
  {
    name: "tanh",
    bug: "the vjp of tanh is 1 - y instead of 1 - y^2",
    mutant: inLibrary(
      `${ops}/elementwise.ts`,
      "derivative: (d, _x, y) => d.mul(y.square().neg().add(1)),",
      "derivative: (d, _x, y) => d.mul(y.neg().add(1)),",
    ),
    expect: [
      /the vjp of tanh by x is wrong/,
      /time step \d/,
      /elman\.ts:\d+/,
      /analytic .* numeric/,
    ],
  },
  {
    name: "matmul",
    bug: "the cotangent of the right factor of a product is that of its transpose",
    mutant: inLibrary(
      `${ops}/matmul.ts`,
      ": [a, g, { transposeA: !transposeA, transposeB: false, batch }];",
      ": [g, a, { transposeA: true, transposeB: transposeA, batch }];",
    ),
    expect: [
      /the vjp of matmul by b is wrong/,
      /\[2,3\] \[3,3\] -> \[2,3\]/,
      /time step \d/,
      /elman\.ts/,
    ],
  },
  {
    name: "accumulate",
    bug: "a product that adds into the gradient of a weight overwrites it",
    mutant: inLibrary(
      `${ops}/matmul.ts`,
      `      const [left, right, product] = gradientOfB(g, a!, b!, attributes);
      multiply(into.block.backend, left, right, into, product, true);`,
      `      const [left, right, product] = gradientOfB(g, a!, b!, attributes);
      multiply(into.block.backend, left, right, into, product, false);`,
    ),
    expect: [/the accumulate of matmul by b is wrong/, /time step \d/],
  },
  {
    name: "broadcast",
    bug: "the gradient of a bias is the mean over the rows instead of the sum",
    mutant: inLibrary(
      `${ops}/binary.ts`,
      "return sumTo(partial(g, a!, b!, output), shape);",
      "return sumTo(partial(g, a!, b!, output), shape).mul(sizeOfShape(shape) / output.size);\n      function sizeOfShape(axes: readonly number[]): number { return axes.reduce((n, d) => n * d, 1); }",
    ),
    expect: [/the vjp of add by b is wrong: add \[2,3\] \[3\] -> \[2,3\]/, /time step \d/],
  },
  {
    name: "crossEntropy",
    bug: "the vjp of cross-entropy forgets its cotangent",
    mutant: inLibrary(
      `${ops}/crossEntropy.ts`,
      "apply(crossEntropyVjpDeclaration, [logits!, targets!, g], attributes),",
      "apply(crossEntropyVjpDeclaration, [logits!, targets!, g.mul(0).add(1)], attributes),",
    ),
    expect: [/the vjp of crossEntropy by logits is wrong/, /time step \d/],
  },
  {
    name: "split",
    bug: "the gradient of a slice begins one element too early",
    mutant: inLibrary(
      `${ops}/slice.ts`,
      "vjp: [(g, { attributes }) => unslice(g, attributes)],",
      "vjp: [(g, { attributes: w }) => unslice(g, { ...w, starts: w.starts.map((s) => Math.max(0, s - 1)) })],",
    ),
    expect: [/the (vjp|accumulate) of slice by x is wrong/, /time step \d/, /gruResetBefore\.ts/],
  },
  {
    name: "sweep",
    bug: "the sweep overwrites a cotangent instead of adding to it",
    mutant: inLibrary(
      "packages/autodiff/src/passes/backward.ts",
      "kernel(1, n, there.pointer, n, 1, cotangent.pointer, n, 1, there.pointer);",
      "there.block.backend.kernels.move64.copy(1, n, cotangent.pointer, n, 1, there.pointer, n, 1);",
    ),
    expect: [/to blame: the sweep/, /every rule is right/, /time step \d/],
  },
  {
    name: "custom op in a custom cell",
    bug: "a user's cell applies an op of the user's own, with 1 - y for 1 - y^2, to its slow memory only",
    expect: [
      /the vjp of fastTanh by x is wrong/,
      /time step \d/,
      /scenarios\.ts:\d+/,
      /called at .*scenarios\.ts/,
    ],
  },
  {
    name: "detach in a custom cell",
    bug: "a user's cell normalises its state by a number it read with item()",
    expect: [
      /mul \[2,3\] -> \[2,3\]/,
      /a number that it is given/,
      /came in as a constant/,
      /time step \d/,
      /detach\(\.\.\.\), toArray\(\) or item\(\)/,
      /scenarios\.ts:\d+/,
    ],
  },
  {
    name: "truncated window",
    bug: "the cut comes one step late, so a window reaches back k2 - 1 steps",
    mutant: inLibrary(
      "packages/rnn/src/truncated/engines/tape.ts",
      "const since = this.#steps.at(start + 1).before;",
      "const since = this.#steps.at(Math.min(start + 2, this.t)).before;",
    ),
    expect: [
      /the contribution of step 3, the first after the cut at 2, is missing/,
      /as if k2 were 2/,
    ],
  },
];
