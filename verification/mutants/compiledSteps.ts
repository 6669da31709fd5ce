import { inFile, type Mutant } from "./mutant.ts";

/** In plans that consume and write what they are given: whole training steps. */
export const compiledStepMutants: readonly Mutant[] = [
  ...inFile("packages/autodiff/src/compile/plan.ts", [
    {
      name: "compile: a guard that nobody looks at",
      kind: "guard lost",
      find: "if (!this.#slots.guardsHold(prepared)) return guardFailed;",
      replace: "",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/slots.ts", [
    {
      name: "compile: bytes that others hold are written to",
      kind: "aliased memory",
      find: "  if (block.holders !== 1) return false;\n",
      replace: "",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/spans.ts", [
    {
      name: "spans: the last elements are left out",
      kind: "off by one",
      find: "element >= n ? n :",
      replace: "",
    },
    {
      name: "spans: all begin at the first element",
      kind: "off by one",
      find: "args[i]! += from * size;",
      replace: "args[i]! += 0;",
    },
    {
      name: "spans: constants begin anew in each",
      kind: "off by one",
      find: "call.buffers[i]! >= 0 || call.args[i] !== 0",
      replace: "call.buffers[i]! >= 0",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/pattern.ts", [
    {
      name: "pattern: tensors that were two may be one",
      kind: "stale value reused",
      find: "return distinct(tensors) === this.#distinct;",
      replace: "return true;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/constants.ts", [
    {
      name: "compile: goes on with weights that were consumed",
      kind: "stale value reused",
      find: "    if (consumed === undefined) continue;",
      replace: "    if (consumed !== null) continue;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/commit.ts", [
    {
      name: "compile: inputs are written before guards are known",
      kind: "wrong state",
      find: "return { ...call, phase };",
      replace: "return call;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/emit.ts", [
    {
      name: "compile: float64 numbers as float32",
      kind: "wrong function",
      find: "[type.f64]: op.f64 }",
      replace: "[type.f64]: (value: number) => op.f64(Math.fround(value)) }",
    },
  ]),
];
