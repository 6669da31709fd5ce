import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in functions that run for shards of the rows, and in what tells rows apart. */
export const shards: readonly Mutant[] = [
  ...inFile("packages/autodiff/src/compile/combine.ts", [
    {
      name: "dataParallel: a mean that is a sum",
      kind: "mean as sum",
      find: 'if (how === "sum") return sum;',
      replace: "return sum;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/shards.ts", [
    {
      name: "dataParallel: every shard has the rows of the first",
      kind: "off by one",
      find: "const start = shard * length;",
      replace: "const start = 0 * shard;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/checkShards.ts", [
    {
      name: "dataParallel: a mean over what is not ignored weighs shards alike",
      kind: "wrong weights of losses",
      find: "return dependsOnIgnored(trial);",
      replace: "return false;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/independence.ts", [
    {
      name: "dataParallel: rows are told apart by the values at hand alone",
      kind: "guard lost",
      find: "for (const probe of [undefined, ...probes, gentle]) {",
      replace: "for (const probe of [undefined]) {",
    },
    {
      name: "dataParallel: what rounding may change is a hundredth",
      kind: "guard lost",
      find: "float64: [1e-11, 1e-11]",
      replace: "float64: [1e-2, 1e-2]",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/otherInputs.ts", [
    {
      name: "dataParallel: weights that are 0 stay 0",
      kind: "guard lost",
      find: "axis === undefined ? 0.01 : 1",
      replace: "axis === undefined ? 0 : 1",
    },
  ]),
];
