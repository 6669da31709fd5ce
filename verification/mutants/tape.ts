import { inFile, type Mutant } from "./mutant.ts";

const recording = inFile("packages/autodiff/src/tape/recording.ts", [
  {
    name: "watch: a new generation is another parameter",
    kind: "weights of the wrong age",
    find: "return this.#attach(x, known.id);",
    replace: "return this.#attach(x, leafId(this.slots));",
  },
  {
    name: "watch: always outside of the tapes that track already",
    kind: "levels confused",
    find: "if (x.tape !== null && x.tape.level > this.level) {",
    replace: "if (x.tape !== null && x.tape.level < 0) {",
  },
  {
    name: "mark: one entry early",
    kind: "cut in the wrong place",
    find: "new Mark(this, this.position, new Set(ids))",
    replace: "new Mark(this, Math.max(0, this.position - 1), new Set(ids))",
  },
  {
    name: "mark: one entry late",
    kind: "cut in the wrong place",
    find: "new Mark(this, this.position, new Set(ids))",
    replace: "new Mark(this, this.position + 1, new Set(ids))",
  },
  {
    name: "mark: carries nothing",
    kind: "wrong state",
    find: "new Set(ids)",
    replace: "new Set()",
  },
  {
    name: "forget: one entry too many",
    kind: "off by one",
    find: "while (entries.base < mark.position) {",
    replace: "while (entries.base <= mark.position && entries.length > 0) {",
  },
  {
    name: "forget: carried values not held",
    kind: "aliased memory",
    find: "entry.output.block.retain();\n        carried.set(id, entry.output.block);",
    replace: "carried.set(id, entry.output.block);",
  },
  {
    name: "handle: leaves are constants of a recorded sweep",
    kind: "lost gradient",
    find: "const isConstant = id === constantId || (id >= 0 && id < this.base);",
    replace: "const isConstant = id < this.base;",
  },
]);

const entry = inFile("packages/autodiff/src/tape/entry.ts", [
  {
    name: "entry: the output's version not counted",
    kind: "guard lost",
    find: "let versions = residuals.output ? output.block.version : 0;",
    replace: "let versions = 0;",
  },
  {
    name: "entry: the inputs' versions not counted",
    kind: "guard lost",
    find: "for (const i of residuals.inputs) versions += inputs[i]!.block.version;",
    replace: "",
  },
]);

const gradient = inFile("packages/autodiff/src/tape.ts", [
  {
    name: "gradient: the mark not handed on",
    kind: "boundary not cut",
    find: "...(since && { since: since.position }),",
    replace: "",
  },
  {
    name: "gradient: never recorded",
    kind: "lost gradient",
    find: "const cotangents = backward(this, seeds, targets, {\n      record,",
    replace: "const cotangents = backward(this, seeds, targets, {\n      record: false,",
  },
  {
    name: "gradient: the cotangent ignored",
    kind: "wrong function",
    find: "return [own, cotangent ?? ones(shape, { dtype, backend })];",
    replace: "return [own, ones(shape, { dtype, backend })];",
  },
  {
    name: "gradient: the first cotangent for every target",
    kind: "stale value reused",
    find: "const cotangent = cotangents?.[i];",
    replace: "const cotangent = cotangents?.[0];",
  },
  {
    name: "gradient: ones for what is not reached",
    kind: "wrong function",
    find: "found.get(path) ?? zeros(x.shape, { dtype: x.dtype, backend: x.backend }),",
    replace:
      'found.get(path) ?? ones(x.shape, { dtype: x.dtype as "float64", backend: x.backend }),',
  },
]);

const transforms = [
  ...inFile("packages/autodiff/src/transforms/reverse.ts", [
    {
      name: "grad: throws for a constant function",
      kind: "wrong function",
      find: "const isConstant = value instanceof Tensor && !tape.tracks(value);",
      replace: "const isConstant = false;",
    },
    {
      name: "vjp: the cotangent of the first call kept",
      kind: "stale value reused",
      find: "const pullback = (cotangent: Tensor) =>\n    gradientOf(tape, value, watched, { cotangent })",
      replace:
        "let first: Tensor | undefined;\n  const pullback = (cotangent: Tensor) =>\n    gradientOf(tape, value, watched, { cotangent: (first ??= cotangent) })",
    },
  ]),
  ...inFile("packages/autodiff/src/transforms/forward.ts", [
    {
      name: "jvp: an output that does not vary is its own tangent",
      kind: "wrong function",
      find: "byPath.get(path) ?? zeros(y.shape, { dtype: y.dtype, backend: y.backend }),",
      replace: "byPath.get(path) ?? tape.strip(y),",
    },
  ]),
  ...inFile("packages/autodiff/src/transforms/second.ts", [
    {
      name: "hvp: the gradient not recorded",
      kind: "lost gradient",
      find: "gradientOf(tape, f(watched), watched, { record: true })",
      replace: "gradientOf(tape, f(watched), watched)",
    },
    {
      name: "jacobian: columns joined as rows",
      kind: "transposed product",
      find: "return reshape(concat(columns, 1), shape);",
      replace: "return reshape(concat(columns, 0), shape);",
    },
    {
      name: "hessian: the gradient taken for a constant",
      kind: "lost gradient",
      find: "    return gradient;\n  }, x);",
      replace: "    return gradient.detach();\n  }, x);",
    },
  ]),
] satisfies Mutant[];

/** Bugs in recordings, marks, gradients, the transforms on them, and their memory. */
export const tape: readonly Mutant[] = [...recording, ...entry, ...gradient, ...transforms];
