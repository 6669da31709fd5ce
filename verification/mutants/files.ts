import { inFile, type Mutant } from "./mutant.ts";

/** Bugs of checkpoints and of what one worker gathers for all. */
export const files: readonly Mutant[] = [
  ...inFile("packages/nn/src/files/apart.ts", [
    {
      name: "checkpoints: -0 is written as 0",
      kind: "sign",
      find: "!Number.isFinite(value) || Object.is(value, -0);",
      replace: "!Number.isFinite(value);",
    },
    {
      name: "checkpoints: NaN is written as null",
      kind: "guard lost",
      find: "!Number.isFinite(value) || Object.is(value, -0);",
      replace: "Object.is(value, -0);",
    },
    {
      name: "checkpoints: keys that look like marks are not told apart",
      kind: "guard lost",
      find: 'key.startsWith("$") ? `$${key}` : key,',
      replace: "key,",
    },
    {
      name: "checkpoints: a key that begins with $ keeps one too many",
      kind: "forgotten term",
      find: 'key.startsWith("$") ? key.slice(1) : key',
      replace: "key",
    },
    {
      name: "checkpoints: a path without what is above it",
      kind: "wrong saved value",
      find: "visit(part, above + key),",
      replace: "visit(part, key),",
    },
  ]),
  ...inFile("packages/nn/src/files/checkpoint.ts", [
    {
      name: "checkpoints: the sum is not compared",
      kind: "guard lost",
      find: "return textOf(bytes.subarray(sumStart, sumStart + sumLength)) === sumOf(bytes);",
      replace: "return true;",
    },
    {
      name: "checkpoints: the sum leaves out the length of the header",
      kind: "range",
      find: "bytes.subarray(0, sumStart)",
      replace: "bytes.subarray(8, sumStart)",
    },
    {
      name: "checkpoints: the sum leaves out the metadata after it",
      kind: "range",
      find: "let at = sumStart + sumLength;",
      replace: "let at = sumStart + sumLength + 30;",
    },
    {
      name: "checkpoints: the sum leaves out the last byte",
      kind: "off by one",
      find: "bytes.subarray(at, at + part)",
      replace: "bytes.subarray(at, -1)",
    },
    {
      name: "checkpoints: the model is forgotten",
      kind: "forgotten term",
      find: '...(about && { "chronograd.model": about.text }),',
      replace: "",
    },
  ]),
  ...inFile("packages/nn/src/files/difference.ts", [
    {
      name: "checkpoints: a key that is missing in the file is no difference",
      kind: "guard lost",
      find: "if (!Object.hasOwn(ours, key))",
      replace: "if (false)",
    },
    {
      name: "checkpoints: a key that is missing in the tree is no difference",
      kind: "guard lost",
      find: "if (extra === undefined) return undefined;",
      replace: "return undefined;",
    },
    {
      name: "checkpoints: only the root may have fewer keys, but every part does",
      kind: "guard lost",
      find: "if (isRoot && isPart &&",
      replace: "if (!isRoot &&",
    },
    {
      name: "checkpoints: leaves are not compared",
      kind: "guard lost",
      find: "return found === expected ? undefined : { path, found, expected };",
      replace: "return undefined;",
    },
  ]),
  ...inFile("packages/nn/src/parallel/gather.ts", [
    {
      name: "checkpoints: each worker gathers its own tree alone",
      kind: "stale value reused",
      find: "const isOwn = root === communicator.rank;",
      replace: "const isOwn = true;",
    },
    {
      name: "checkpoints: plain values are those of the first worker",
      kind: "stale value reused",
      find: 'communicator.broadcast(isOwn ? outline : room([length], "int32"), root)',
      replace: 'communicator.broadcast(root === 0 && isOwn ? outline : room([length], "int32"), 0)',
    },
    {
      name: "checkpoints: plain values are this worker's own",
      kind: "stale value reused",
      find: "return putTogether(theirs.text,",
      replace: "return putTogether(text,",
    },
  ]),
];
