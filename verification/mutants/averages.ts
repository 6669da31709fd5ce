import { inFile, type Mutant } from "./mutant.ts";

/** In sums over workers, and in updates that are averaged. */
export const averages: readonly Mutant[] = [
  ...inFile("packages/autodiff/src/tensor/pairwiseSum.ts", [
    {
      name: "averages: sums one after the other",
      kind: "wrong function",
      find: "width *= 2",
      replace: "width += 1",
    },
    {
      name: "averages: the last of an odd number forgotten",
      kind: "forgotten term",
      find: "i + width < sums.length",
      replace: "i + width + 1 < sums.length",
    },
  ]),
  ...inFile("packages/nn/src/parallel/orderedSum.ts", [
    {
      name: "averages: addends on top of each other",
      kind: "aliased memory",
      find: "first + i * bytes)",
      replace: "first + i * (bytes >> 1))",
    },
  ]),
  ...inFile("packages/nn/src/parallel/distributedValueAndGrad.ts", [
    {
      name: "averages: workers count alike, whatever rows they have",
      kind: "wrong function",
      find: "own / total",
      replace: "1 / communicator.size",
    },
    {
      name: "averages: the value of each worker's own rows",
      kind: "forgotten term",
      find: "[sums.value, ",
      replace: "[value.item(), ",
    },
  ]),
  ...inFile("packages/nn/src/parallel/shard.ts", [
    {
      name: "averages: the last row dealt to nobody",
      kind: "forgotten term",
      find: "end: before(rank + 1) }",
      replace: "end: Math.min(count - 1, before(rank + 1)) }",
    },
  ]),
  ...inFile("packages/nn/src/parallel/localUpdates.ts", [
    {
      name: "averages: a sum in place of the mean",
      kind: "optimizer",
      find: ".div(communicator.size)",
      replace: ".div(1)",
    },
    {
      name: "averages: uphill",
      kind: "sign",
      find: "from.sub(now.get(path)!)",
      replace: "now.get(path)!.sub(from)",
    },
    {
      name: "averages: the outer momentum is that of the first step",
      kind: "stale value reused",
      find: "optimizer: after };",
      replace: "optimizer: optimizer.init(start) };",
    },
    {
      name: "averages: workers go on with what is their own",
      kind: "stale value reused",
      find: "copies.get(path) ?? w)",
      replace: "w.clone())",
    },
    {
      name: "averages: one update late",
      kind: "off by one in time",
      find: "step.item() % updates !== 0",
      replace: "step.item() % (updates + 1) !== 0",
    },
  ]),
  ...inFile("packages/nn/src/parallel/localReport.ts", [
    {
      name: "averages: NaN averaged",
      kind: "guard lost",
      find: "if (rank === -1) return;",
      replace: "if (rank !== -2) return;",
    },
    {
      name: "averages: workers that began apart",
      kind: "guard lost",
      find: "a !== first[1] || b !== first[2]",
      replace: "a === 0.5 || b === 0.5",
    },
    {
      name: "averages: a hash of the first word alone",
      kind: "guard lost",
      find: "i < end; i++",
      replace: "i < end; i += end",
    },
    {
      name: "averages: another number of updates",
      kind: "guard lost",
      find: "step !== first[0]",
      replace: "step === 0.5",
    },
  ]),
];
