import { inFile, type Mutant } from "../mutant.ts";

const shape = inFile("packages/autodiff/src/ops/shape.ts", [
  {
    name: "transpose: the same permutation backwards",
    kind: "wrong axis",
    find: "axes.map((_, i) => axes.indexOf(i)),",
    replace: "axes,",
  },
  {
    name: "broadcastTo: the mean of the copies",
    kind: "mean as sum",
    find: "vjp: [(g, { inputs: [x] }) => sumTo(g, x!.shape)],",
    replace: "vjp: [(g, { inputs: [x] }) => sumTo(g, x!.shape).mul(x!.size / g.size)],",
  },
]);

const join = inFile("packages/autodiff/src/ops/join.ts", [
  {
    name: "concat: parts counted from the far end",
    kind: "swapped operands",
    find: "const range = [starts[input]!, starts[input + 1]!] as const;",
    replace:
      "const end = g.shape[axis]!;\n    const range = [end - starts[input + 1]!, end - starts[input]!] as const;",
  },
  {
    name: "concat: every part gets the first one's place",
    kind: "off by one",
    find: "const range = [starts[input]!, starts[input + 1]!] as const;",
    replace: "const range = [0, starts[input + 1]! - starts[input]!] as const;",
  },
]);

const slice = inFile("packages/autodiff/src/ops/slice.ts", [
  {
    name: "slice: added in place from the beginning",
    kind: "off by one",
    find: "(first + walk.offsets[1]![plane]!) * bytes",
    replace: "walk.offsets[1]![plane]! * bytes",
  },
  {
    name: "slice: added in place, every row to the first",
    kind: "stale value reused",
    find: "to, intoRow!, intoCol!);",
    replace: "to, 0, intoCol!);",
  },
  {
    name: "slice: added in place, steps taken for runs",
    kind: "wrong axis",
    find: "addTo(walk.rows, walk.cols, from, gRow!, gCol!, to, intoRow!, intoCol!);",
    replace: "addTo(walk.rows, walk.cols, from, gRow!, gCol!, to, intoRow!, gCol!);",
  },
  {
    name: "slice: the rest of the gradient not zeroed",
    kind: "stale value reused",
    find: "kernelsOf(backend, y).fill(y.size, 0, y.pointer);\n    if (g!.size === 0) return;",
    replace: "if (g!.size === 0) return;",
  },
]);

const pad = inFile("packages/autodiff/src/ops/pad.ts", [
  {
    name: "pad: the gradient from the beginning",
    kind: "off by one",
    find: "widths.map(([before], axis) => [before, before + x!.shape[axis]!]),",
    replace: "widths.map((_, axis) => [0, x!.shape[axis]!]),",
  },
  {
    name: "pad: the tangent padded with the value",
    kind: "wrong function",
    find: "{ ...attributes, value: 0 }",
    replace: "attributes",
  },
]);

const indexing = inFile("packages/autodiff/src/ops/indexing.ts", [
  {
    name: "gather: the first rows' gradient for all",
    kind: "stale value reused",
    find: "const from = g.pointer + i * indices.size * bytes;",
    replace: "const from = g.pointer;",
  },
  {
    name: "gather: added to what was there before",
    kind: "stale value reused",
    find: "arithmeticOf(backend, y).fill(y.size, 0, y.pointer);\n    addRows(g!, indices!, y, axis);",
    replace: "addRows(g!, indices!, y, axis);",
  },
  {
    name: "gather: indices not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [1], output: false },\n  vjp: [\n    (g, { inputs: [x, indices], attributes }) =>",
    replace:
      "residuals: { inputs: [], output: false },\n  vjp: [\n    (g, { inputs: [x, indices], attributes }) =>",
  },
  {
    name: "scatterAdd: nothing flows to x",
    kind: "lost gradient",
    find: "return x.add(apply(scatterDeclaration",
    replace: "return x.detach().add(apply(scatterDeclaration",
  },
]);

const others = [
  ...inFile("packages/autodiff/src/ops/cast.ts", [
    {
      name: "cast: the cotangent keeps its dtype",
      kind: "wrong function",
      find: "vjp: [(g, { inputs: [x] }) => cast(g, x!.dtype)],",
      replace: "vjp: [(g) => g],",
    },
  ]),
  ...inFile("packages/autodiff/src/ops/detach.ts", [
    {
      name: "detach: still on the tape",
      kind: "boundary not cut",
      find: "if (x.tape === null) return x;",
      replace: "if (x.tape !== undefined) return x;",
    },
  ]),
  ...inFile("packages/autodiff/src/ops/apply.ts", [
    {
      name: "apply: the lowest tape records first",
      kind: "levels confused",
      find: "input.tape.level > tape.level",
      replace: "input.tape.level < tape.level",
    },
  ]),
] satisfies Mutant[];

/** Bugs in what moves elements, and in how ops are recorded. */
export const movement: readonly Mutant[] = [
  ...shape,
  ...join,
  ...slice,
  ...pad,
  ...indexing,
  ...others,
];
