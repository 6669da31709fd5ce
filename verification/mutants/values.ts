import { inFile, type Mutant } from "./mutant.ts";

const indices = inFile("packages/autodiff/src/ops/indices.ts", [
  {
    name: "indices: an empty axis excepts its low end",
    kind: "guard lost",
    find: "if (low >= high) return size > 0 ? 0 : -1;",
    replace: "",
  },
  {
    name: "indices: those before the first wrap round",
    kind: "guard lost",
    find: "  checkRange(indices, length, name, -length);\n",
    replace: "",
  },
]);

const dtype = inFile("packages/autodiff/src/tensor/dtype.ts", [
  {
    name: "int32: only NaN is refused",
    kind: "guard lost",
    find: "if ((values[i]! | 0) !== values[i]) return i;",
    replace: "if (Number.isNaN(values[i]!)) return i;",
  },
]);

const create = inFile("packages/autodiff/src/tensor/create.ts", [
  {
    name: "tensor: int32 takes what it is given",
    kind: "guard lost",
    find: 'if (dtype === "int32") checkInt32(data, where);',
    replace: "",
  },
]);

const select = inFile("packages/autodiff/src/ops/select.ts", [
  {
    name: "where: numbers are float32 whatever the condition is",
    kind: "wrong function",
    find: 'value?.dtype ?? (isFloat(dtype) ? dtype : "float32")',
    replace: 'value?.dtype ?? "float32"',
  },
  {
    name: "where: a condition is rounded to the dtype of the values",
    kind: "mask ignored",
    find: "keeps ? condition : notEqual(condition, 0)",
    replace: "condition",
  },
]);

const sort = inFile("packages/autodiff/src/ops/sort.ts", [
  {
    name: "sort: elements of the first line for all",
    kind: "wrong axis",
    find: "return before * shape[axis]! * inner + (line % inner);",
    replace: "return line % inner;",
  },
  {
    name: "takeAlongAxis: no check of the range",
    kind: "guard lost",
    find: '    checkRange(whole, length, "takeAlongAxis");\n    return pick(x, whole, at);',
    replace: "    return pick(x, whole, at);",
  },
]);

const batched = inFile("packages/autodiff/src/ops/batched.ts", [
  {
    name: "gather: every member of a batch looks into the first",
    kind: "wrong axis",
    find: ".mul(length);",
    replace: ".mul(0);",
  },
]);

const custom = inFile("packages/autodiff/src/transforms/custom.ts", [
  {
    name: "customGradient: cotangents of any shape",
    kind: "guard lost",
    find: "isLike(g, input)",
    replace: "g.dtype === input.dtype",
  },
  {
    name: "customGradient: the cotangents of the sweep before",
    kind: "stale value reused",
    find: "const isFresh = last?.g === g && last.output === output;",
    replace: "const isFresh = last !== undefined;",
  },
  {
    name: "customGradient: a tracked value from outside is a constant",
    kind: "lost gradient",
    find: "if (y.tape === null) continue;",
    replace: "continue;",
  },
]);

const statistics = inFile("packages/autodiff/src/ops/statistics.ts", [
  {
    name: "std: divided by the count, not by its root",
    kind: "factor",
    find: ".div(Math.sqrt(count))",
    replace: ".div(count)",
  },
]);

const cumulative = inFile("packages/autodiff/src/ops/cumulative.ts", [
  {
    name: "cumprod: each element times the first alone",
    kind: "forgotten term",
    find: "products.at(-1)!.mul(factor)",
    replace: "first!.mul(factor)",
  },
]);

const reverse = inFile("packages/autodiff/src/transforms/reverse.ts", [
  {
    name: "hasAux: what comes besides stays on the tape",
    kind: "levels confused",
    find: "map(aux, (part: Tensor) => tape.strip(part))",
    replace: "aux",
  },
]);

const tape = inFile("packages/autodiff/src/tape.ts", [
  {
    name: "gradient: a constant is no cotangent of a traced value",
    kind: "guard lost",
    find: "if (areApart(cotangent.backend, target.backend)) {",
    replace: "if (cotangent.backend !== target.backend) {",
  },
]);

const lanewise = inFile("packages/autodiff/src/compile/lanewise.ts", [
  {
    name: "fuse: int32 as if it were float32",
    kind: "wrong function",
    find: 'if (family === "cast" || family === "int32") return undefined;',
    replace: 'if (family === "cast") return undefined;',
  },
]);

const embedding = inFile("packages/nn/src/layers/embedding.ts", [
  {
    name: "embedding: symbols below 0 count from the end",
    kind: "guard lost",
    find: "lookUp(table, indices)",
    replace: "table.gather(indices)",
  },
]);

const options = [
  ...inFile("packages/autodiff/src/ops/reduction.ts", [
    {
      name: "options: reductions take any",
      kind: "guard lost",
      find: "  checkOptions(name, options, known);\n",
      replace: "",
    },
  ]),
  ...inFile("packages/autodiff/src/tensor/options.ts", [
    {
      name: "options: one that is known lets all others pass",
      kind: "guard lost",
      find: "if (!known.includes(name)) return false;",
      replace: "if (known.includes(name)) return true;",
    },
  ]),
];

const texts = inFile("packages/autodiff/src/tensor/text.ts", [
  {
    name: "text: a value that is gone is shown",
    kind: "stale value reused",
    find: "if (holders <= 0) return {",
    replace: "if (holders < 0) return {",
  },
  {
    name: "text: float32 with the digits of float64",
    kind: "wrong function",
    find: "isSingle ? Number(value.toPrecision(7)) : value",
    replace: "value",
  },
]);

const apply = inFile("packages/autodiff/src/ops/apply.ts", [
  {
    name: "apply: numbers of a refused call stay",
    kind: "aliased memory",
    find: "    if (inputs !== operands) releaseTemporaries(operands, inputs);\n",
    replace: "",
  },
]);

/** Bugs in how values are interpreted: indices, dtypes, conditions, orders, custom rules. */
export const valuesTaken: readonly Mutant[] = [
  ...indices,
  ...dtype,
  ...create,
  ...select,
  ...sort,
  ...batched,
  ...custom,
  ...statistics,
  ...cumulative,
  ...reverse,
  ...tape,
  ...lanewise,
  ...embedding,
  ...options,
  ...texts,
  ...apply,
];
