import { inFile, type Mutant } from "./mutant.ts";

/** In plans that consume and write what they are given: whole training steps. */
export const compiledStepMutants: readonly Mutant[] = [
  ...inFile("packages/autodiff/src/compile/plan.ts", [
    {
      name: "compile: a guard that nobody looks at",
      kind: "guard lost",
      find: "if (!this.#guardsHold(prepared)) return guardFailed;",
      replace: "",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/prepared.ts", [
    {
      name: "compile: bytes that others hold are written to",
      kind: "aliased memory",
      find: "return block.holders === 1 && inputs",
      replace: "return inputs",
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
