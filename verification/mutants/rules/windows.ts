import { inFile, type Mutant } from "../mutant.ts";

const convolution = inFile("packages/autodiff/src/ops/convolution.ts", [
  {
    name: "conv2d: by x, the weight not transposed",
    kind: "transposed product",
    find: "matmul(depth, n, out, w, depth, 1, to",
    replace: "matmul(depth, n, out, w, out, 0, to",
  },
  {
    name: "conv2d: by weight, of the last part alone",
    kind: "missing reduction",
    find: "columns, n, 1, w, depth, 1)",
    replace: "columns, n, 1, w, depth, 0)",
  },
  {
    name: "conv2d: the gradient by x not cleared",
    kind: "stale value reused",
    find: "if (makes !== Y && !accumulate) fill(",
    replace: "if (makes === WEIGHT && !accumulate) fill(",
  },
  {
    name: "conv2d: every group has the first weights",
    kind: "wrong saved value",
    find: "(i % groups) * out * depth",
    replace: "(i % 1) * out * depth",
  },
  {
    name: "conv2d: every part goes to the first rows",
    kind: "off by one",
    find: "part.row * window.positions[1] + part.col",
    replace: "part.col",
  },
  {
    name: "conv2d: the last part as high as the others",
    kind: "range",
    find: "rows: Math.min(rows, height - row)",
    replace: "rows",
  },
  {
    name: "conv2d: a gradient replaces what it should be added to",
    kind: "lost gradient",
    find: "operands(g, inputs, i, into), attributes, true)",
    replace: "operands(g, inputs, i, into), attributes, false)",
  },
  {
    name: "conv2d: the gradient by x with weight and cotangent exchanged",
    kind: "swapped operands",
    find: "declarations[given[i]!]!,",
    replace: "declarations[given[1 - i]!]!,",
  },
  {
    name: "conv2d: a tangent takes the place of the other input",
    kind: "swapped operands",
    find: "inputs.with(i, dx)",
    replace: "inputs.with(1 - i, dx)",
  },
]);

const moves = inFile("packages/autodiff/src/ops/window.ts", [
  {
    name: "conv2d: same padding puts what is odd before",
    kind: "off by one",
    find: "(length - 1) >> 1",
    replace: "length >> 1",
  },
  {
    name: "conv2d: padding after the image forgotten",
    kind: "forgotten term",
    find: "length + 2 * before[axis]!",
    replace: "length + before[axis]!",
  },
  {
    name: "conv2d: padding moves the window the wrong way",
    kind: "sign",
    find: "row * stride[0] - padding[0]",
    replace: "row * stride[0] + padding[0]",
  },
  {
    name: "conv2d: a kernel reaches as far as its last pixel begins",
    kind: "off by one",
    find: "(length - 1) * dilations[axis]! + 1",
    replace: "(length - 1) * dilations[axis]!",
  },
  {
    name: "conv2d: the stride along rows taken for both axes",
    kind: "wrong axis",
    find: "/ strides[axis]! + 1",
    replace: "/ strides[0]! + 1",
  },
]);

const pools = inFile("packages/autodiff/src/ops/pool.ts", [
  {
    name: "maxPool2d: padded with zeros",
    kind: "wrong function",
    find: "const isPadded = outside !== 0 &&",
    replace: "const isPadded = outside > 0 &&",
  },
  {
    name: "averagePool2d: over all windows",
    kind: "wrong axis",
    find: "return seen.size === 0 ? sum(seen, 2) : reduce(seen, 2);",
    replace: "return reduce(reshape(columns, [...shape.slice(0, 2), ...shape.slice(3), -1]), -1);",
  },
  {
    name: "maxPool2d: windows overlap unless a stride is given",
    kind: "off by one",
    find: "const { stride = kernel, padding = 0 }",
    replace: "const { stride = 1, padding = 0 }",
  },
]);

const columns = inFile("packages/autodiff/src/ops/columns.ts", [
  {
    name: "fold: nothing is cleared before",
    kind: "stale value reused",
    find: "kernelsOf(backend, y).fill(y.size, 0, y.pointer);",
    replace: "",
  },
  {
    name: "unfold: the first image alone",
    kind: "range",
    find: `const all = n! * c!;
    moveWindow(backend, "unfold"`,
    replace: `const all = Math.min(1, n!) * c!;
    moveWindow(backend, "unfold"`,
  },
]);

/** Bugs in what is computed of windows. */
export const windows: readonly Mutant[] = [...convolution, ...moves, ...pools, ...columns];
